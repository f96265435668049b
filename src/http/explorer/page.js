// Starts GraphiQL with a token that stays in this browser tab and is sent in a header, never in an address.
"use strict";
(() => {
  const settings = JSON.parse(document.getElementById("settings").textContent);
  const KEY = "rapport:token";
  const input = document.getElementById("token");
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
    return response.json();
  };

  const explorer = React.createElement(GraphiQL, {
    fetcher,
    defaultTabs: settings.examples.map((query) => ({ query })),
    isHeadersEditorEnabled: false,
    shouldPersistHeaders: false,
    // What is typed here may be about people: it goes when the tab does.
    storage: sessionStorage,
  });
  ReactDOM.createRoot(document.getElementById("explorer")).render(explorer);
})();
