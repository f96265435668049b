// Serves the files of a folder, and nothing else, at an origin of their own.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };

/** Listens on the port of this machine until it is closed. */
export async function serve(folder, port) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://desk").pathname;
    try {
      const file = new URL(`.${path === "/" ? "/index.html" : path}`, folder);
      if (!file.href.startsWith(folder.href)) throw new Error("outside the folder");
      const content = await readFile(file);
      response.writeHead(200, { "content-type": TYPES[extname(file.pathname)] ?? "application/octet-stream" }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening, failed) => server.once("error", failed).listen(port, "127.0.0.1", listening));
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close().closeAllConnections() };
}
