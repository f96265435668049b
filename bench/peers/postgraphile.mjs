// PostGraphile 5 on Rapport's tables: its own schema for Q1 and Q2, SQL functions (postgraphile.sql) for what it has no
// words for. BENCH_DATABASE and BENCH_PORT say where.
import { createServer } from "node:http";
import { grafserv } from "postgraphile/grafserv/node";
import { postgraphile } from "postgraphile";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makePgService } from "postgraphile/adaptors/pg";
import { pgSmartTags } from "postgraphile/utils";

const port = Number(process.env.BENCH_PORT);

// The amber preset orders only by columns that lead an index; ours lead with the organization.
const orders = pgSmartTags([
  { kind: "attribute", match: "expectation.rank", tags: { behavior: "+orderBy" } },
  { kind: "attribute", match: "feedback_record.received_at", tags: { behavior: "+orderBy" } },
]);

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [orders],
  pgServices: [
    makePgService({ connectionString: process.env.BENCH_DATABASE, schemas: ["public"], poolConfig: { max: 8 } }),
  ],
  grafserv: { port, host: "127.0.0.1", watch: false, graphqlPath: "/graphql", maxRequestLength: 4_194_304 },
  grafast: { explain: false },
};

const server = createServer();
const serv = postgraphile(preset).createServ(grafserv);
await serv.addTo(server);
await serv.ready();
server.listen(port, "127.0.0.1");
