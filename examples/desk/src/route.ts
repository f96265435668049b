// Which page is shown: `#/case/ID`, `#/work?point=ID`.
import { useEffect, useState } from "preact/hooks";

export interface Route {
  page: string;
  /** What stands after the page: the id of a row. */
  id: string;
  query: URLSearchParams;
}

export function read(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page = "", id = ""] = path.split("/").map(decodeURIComponent);
  return { page, id, query: new URLSearchParams(query) };
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => read(location.hash));
  useEffect(() => {
    const follow = () => setRoute(read(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}

export function go(path: string): void {
  location.hash = `#/${path}`;
}
