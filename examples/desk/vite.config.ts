import { defineConfig } from "vite";

// Relative addresses: the built files can be served from any folder of any origin.
export default defineConfig({ base: "./" });
