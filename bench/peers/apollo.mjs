// Apollo Server 5 with pg and DataLoader on Rapport's tables, as its manual shows. BENCH_DATABASE and BENCH_PORT say where.
import { createHash, randomUUID } from "node:crypto";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import DataLoader from "dataloader";
import { GraphQLScalarType } from "graphql";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.BENCH_DATABASE, max: 8 });
const query = (name, text, values) => pool.query({ name, text, values }).then((result) => result.rows);

const typeDefs = `#graphql
  scalar DateTime
  type Point { id: ID! name: String! kind: String! description: String createdAt: DateTime!
    expectations(first: Int!): Expectations! feedbackRecords(last: Int!): Records! }
  type Points { nodes: [Point!]! }
  type Expectation { id: ID! statement: String! kind: String! importance: Int rank: Int }
  type Expectations { nodes: [Expectation!]! }
  type Record { id: ID! kind: String! sentimentScore: Float body: String receivedAt: DateTime! priority: String!
    department: Department! }
  type Records { nodes: [Record!]! pageInfo: PageInfo! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Department { id: ID! }
  type GroupPoint { id: ID! }
  type Mean { mean: Float n: Int! }
  type Group { count: Int! bucketStart: DateTime! point: GroupPoint! meanSentimentScore: Mean! }
  type Groups { nodes: [Group!]! }
  input FeedbackRecordInput { kind: String! sentiment: String sentimentScore: Float body: String! receivedAt: DateTime!
    pointId: ID! mediumId: ID! idempotencyKey: String! }
  type RecordPayload { node: Record! }
  type Query {
    interactionPoint(id: ID!): Point
    interactionPoints(first: Int!): Points!
    feedbackRecords(first: Int!, kind: String!, from: DateTime!, to: DateTime!, before: DateTime!, beforeId: ID!): Records!
    feedbackRecordGroups: Groups!
  }
  type Mutation { feedbackRecordCreate(input: FeedbackRecordInput!): RecordPayload! }
`;

const DateTime = new GraphQLScalarType({
  name: "DateTime",
  serialize: (millis) => new Date(Number(millis)).toISOString(),
  parseValue: (text) => Date.parse(text),
});

const RECORD = `id, kind, sentiment_score AS "sentimentScore", body, received_at AS "receivedAt"`;
const POINT = `id, name, kind, description, created_at AS "createdAt"`;

const grouped = (keys, rows) => {
  const groups = new Map(keys.map((key) => [key, []]));
  for (const row of rows) groups.get(row.point_id).push(row);
  return keys.map((key) => groups.get(key));
};

async function create(input, { organization }) {
  const client = await pool.connect();
  const run = (name, text, values) => client.query({ name, text, values }).then((result) => result.rows);
  try {
    await client.query("BEGIN");
    const now = Date.now();
    const fingerprint = createHash("sha256").update(JSON.stringify(input)).digest("base64url");
    const claimed = await run(
      "claim",
      `INSERT INTO idempotency (organization_id, subject, idempotency_key, fingerprint, created_at)
       VALUES ($1, 'bench', $2, $3, $4) ON CONFLICT DO NOTHING RETURNING 1`,
      [organization, input.idempotencyKey, fingerprint, now],
    );
    if (claimed.length === 0) throw new Error("the key was used");
    const rules = await run(
      "rules",
      `SELECT * FROM routing_rule WHERE organization_id = $1 AND archived_at IS NULL ORDER BY position, id`,
      [organization],
    );
    const is = (wanted, given) => wanted === null || wanted === given;
    const rule = rules.find((rule) =>
      is(rule.kind, input.kind) && is(rule.sentiment, input.sentiment) &&
      (rule.score_from === null || input.sentimentScore >= rule.score_from) &&
      (rule.score_to === null || input.sentimentScore <= rule.score_to) &&
      is(rule.point_id, input.pointId) && is(rule.medium_id, input.mediumId));
    const department = rule?.department_id ??
      (await run("fallback", "SELECT fallback_department_id AS id FROM organization WHERE id = $1", [organization]))[0].id;
    const priority = rule?.priority ?? "NORMAL";
    const id = randomUUID();
    await run(
      "record",
      `INSERT INTO feedback_record (organization_id, id, version, created_at, updated_at, kind, sentiment, sentiment_score,
         body, body_folded, received_at, tags, attributes, priority, point_id, medium_id, department_id)
       VALUES ($1, $2, 1, $3, $3, $4, $5, $6, $7, $8, $9, '[]', '[]', $10, $11, $12, $13)`,
      [organization, id, now, input.kind, input.sentiment, input.sentimentScore, input.body, input.body.toLowerCase(),
        input.receivedAt, priority, input.pointId, input.mediumId, department],
    );
    await run(
      "routing",
      `INSERT INTO routing (organization_id, id, version, created_at, updated_at, feedback_record_id, cause, rule_id,
         rule_version, department_id, priority, response_policy_id, reason, subject)
       VALUES ($1, $2, 1, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'bench')`,
      [organization, randomUUID(), now, id, rule ? "RULE" : "FALLBACK", rule?.id, rule?.version, department, priority,
        rule?.response_policy_id, rule ? `Rule “${rule.name}” matched: kind ${rule.kind}.` : "No rule matched."],
    );
    await run(
      "remember",
      "UPDATE idempotency SET result = $3 WHERE organization_id = $1 AND subject = 'bench' AND idempotency_key = $2",
      [organization, input.idempotencyKey, JSON.stringify([{ id, outcome: "CREATED", errors: [] }])],
    );
    await run(
      "event",
      `WITH s AS (UPDATE organization_sequence SET last = last + 1, rolled_to = rolled_to + 1
         WHERE organization_id = $1 RETURNING last)
       INSERT INTO event (organization_id, id, sequence, noun, row_id, operation, version, subject, occurred_at, fields)
       SELECT $1, $5, last, 'FeedbackRecord', $2, 'CREATED', 1, 'bench', $3, $4 FROM s`,
      [organization, id, now, JSON.stringify(["kind", "sentiment", "sentimentScore", "body", "receivedAt", "product",
        "tags", "attributes", "point", "medium", "department", "priority"]), randomUUID()],
    );
    await client.query("COMMIT");
    return { node: { id, receivedAt: input.receivedAt, priority, department: { id: department } } };
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

const resolvers = {
  DateTime,
  Query: {
    interactionPoint: async (_, { id }, { organization }) =>
      (await query("point", `SELECT ${POINT} FROM interaction_point WHERE organization_id = $1 AND id = $2`,
        [organization, id]))[0],
    interactionPoints: async (_, { first }, { organization }) => ({
      nodes: await query("points", `SELECT ${POINT} FROM interaction_point WHERE organization_id = $1
        AND archived_at IS NULL ORDER BY id LIMIT $2`, [organization, first]),
    }),
    feedbackRecords: async (_, { first, kind, from, to, before, beforeId }, { organization }) => {
      const nodes = await query(
        "page",
        `SELECT ${RECORD} FROM feedback_record WHERE organization_id = $1 AND kind = $2 AND received_at >= $3
           AND received_at < $4 AND (received_at, id) < ($5, $6) ORDER BY received_at DESC, id DESC LIMIT $7`,
        [organization, kind, from, to, before, beforeId, first + 1],
      );
      const hasNextPage = nodes.length > first;
      if (hasNextPage) nodes.pop();
      const last = nodes.at(-1);
      return { nodes, pageInfo: { hasNextPage, endCursor: last && `${last.receivedAt},${last.id}` } };
    },
    feedbackRecordGroups: async (_, __, { organization }) => {
      const rows = await query(
        "groups",
        `SELECT point_id, (EXTRACT(epoch FROM date_trunc('week', to_timestamp(received_at / 1000.0) AT TIME ZONE 'UTC'))
           * 1000)::bigint AS week, COUNT(*)::int AS count, AVG(sentiment_score) AS mean, COUNT(sentiment_score)::int AS n
         FROM feedback_record WHERE organization_id = $1 GROUP BY 1, 2 ORDER BY 2, 1`,
        [organization],
      );
      const nodes = rows.map((row) => ({
        count: row.count,
        bucketStart: row.week,
        point: { id: row.point_id },
        meanSentimentScore: { mean: row.mean, n: row.n },
      }));
      return { nodes };
    },
  },
  Mutation: { feedbackRecordCreate: (_, { input }, context) => create(input, context) },
  Point: {
    expectations: async ({ id }, _, { expectations }) => ({ nodes: await expectations.load(id) }),
    feedbackRecords: async ({ id }, _, { records }) => ({ nodes: await records.load(id) }),
  },
};

const context = async ({ req }) => {
  const organization = req.headers["x-organization"];
  return {
    organization,
    expectations: new DataLoader(async (points) =>
      grouped(points, await query(
        "top",
        `SELECT e.point_id, e.id, e.statement, e.kind, e.importance, e.rank FROM unnest($2::uuid[]) p(id) CROSS JOIN LATERAL
           (SELECT * FROM expectation e WHERE e.organization_id = $1 AND e.point_id = p.id AND e.rank IS NOT NULL
            AND e.archived_at IS NULL ORDER BY e.rank LIMIT 5) e`,
        [organization, points],
      ))),
    records: new DataLoader(async (points) =>
      grouped(points, await query(
        "last",
        `SELECT f.point_id, f.id, f.kind, f.sentiment_score AS "sentimentScore", f.body, f.received_at AS "receivedAt"
         FROM unnest($2::uuid[]) p(id) CROSS JOIN LATERAL (SELECT * FROM feedback_record f WHERE f.organization_id = $1
           AND f.point_id = p.id ORDER BY f.received_at DESC, f.id DESC LIMIT 3) f`,
        [organization, points],
      ))),
  };
};

const server = new ApolloServer({ typeDefs, resolvers, csrfPrevention: false });
await startStandaloneServer(server, { context, listen: { host: "127.0.0.1", port: Number(process.env.BENCH_PORT) } });
