// Where the API is and who is asking: from the address of the page, from this tab's memory, or typed in.

export interface Session {
  /** Address of the endpoint, for example http://127.0.0.1:8080/graphql. */
  url: string;
  token: string;
}

const KEY = "rapport-desk";

/**
 * Returns the session that the address of the page begins: `#url=…&token=…`. The token is taken out of the address at
 * once, so that it stays out of bookmarks and of the history. What stands behind `#` is never sent to a server.
 */
export function given(): Session | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const url = fragment.get("url");
  if (url === null) return undefined;
  history.replaceState(null, "", "#/");
  return { url, token: fragment.get("token") ?? "" };
}

/** Returns the session of this tab. */
export function kept(): Session | undefined {
  const text = sessionStorage.getItem(KEY);
  return text === null ? undefined : (JSON.parse(text) as Session);
}

export function keep(session: Session): void {
  sessionStorage.setItem(KEY, JSON.stringify(session));
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
}
