// Starts GraphiQL with a token that stays in this browser tab and is sent in a header, never in an address.
"use strict";
(() => {
  const settings = JSON.parse(document.getElementById("settings").textContent);
  const KEY = "rapport:token";
  const input = document.getElementById("token");
  const pictures = document.getElementById("pictures");
  const hint = document.getElementById("hint");

  const show = () => {
    hint.textContent = input.value
      ? ""
      : "Without a token only the schema can be read.";
  };
  input.value = sessionStorage.getItem(KEY) || settings.token || "";
  input.addEventListener("input", () => {
    sessionStorage.setItem(KEY, input.value.trim());
    show();
  });
  show();

  // Signed addresses of pictures in an answer become links: they open without the token.
  const link = (answer) => {
    const found = new Map();
    const look = (value, title) => {
      if (typeof value === "string") {
        if (/^(https?:\/\/[^?#]+)?\/journeys\/[^/?]+\.svg\?[^#]*signature=/.test(value)) found.set(value, title);
      } else if (value && typeof value === "object") {
        for (const inner of Object.values(value)) look(inner, value.title || title);
      }
    };
    look(answer.data, "journey");
    pictures.replaceChildren(
      ...[...found].slice(0, 5).map(([address, title]) => {
        const anchor = document.createElement("a");
        Object.assign(anchor, { href: address, target: "_blank", rel: "noopener noreferrer" });
        anchor.textContent = `Open the picture: ${title}`;
        return anchor;
      }),
    );
  };

  const fetcher = async (request) => {
    const token = input.value.trim();
    const headers = {
      accept: "application/graphql-response+json, application/json",
      "content-type": "application/json",
    };
    if (token) headers.authorization = `Bearer ${token}`;
    const response = await fetch("/graphql", {
      method: "POST",
      headers,
      body: JSON.stringify(request),
      cache: "no-store",
      credentials: "omit",
    });
    const answer = await response.json();
    if (!/IntrospectionQuery/.test(request.operationName || "")) link(answer);
    return answer;
  };

  // Examples that fit: those that make something where there is nothing yet.
  const examples = async () => {
    if (!input.value) return settings.examples.empty;
    const query = "{ journeys(first: 1) { totalCount } interactionPoints(first: 1) { totalCount } }";
    const { data } = await fetcher({ query });
    const has = (list) => !list || list.totalCount > 0;
    return data && !has(data.journeys) && !has(data.interactionPoints) ? settings.examples.empty : settings.examples.filled;
  };

  const start = (queries) => {
    const explorer = React.createElement(GraphiQL, {
      fetcher,
      defaultTabs: queries.map((query) => ({ query })),
      isHeadersEditorEnabled: false,
      shouldPersistHeaders: false,
      // What is typed here may be about people: it goes when the tab does.
      storage: sessionStorage,
    });
    ReactDOM.createRoot(document.getElementById("explorer")).render(explorer);
  };
  examples().then(start, () => start(settings.examples.empty));
})();
