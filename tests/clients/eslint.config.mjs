// The rules of graphql-eslint for schemas. From the root of the repository:
//   tests/clients/node_modules/.bin/eslint --config tests/clients/eslint.config.mjs schema.graphql
import graphql from "@graphql-eslint/eslint-plugin";

const rules = { ...graphql.configs["flat/schema-all"].rules, ...graphql.configs["flat/schema-relay"].rules };

export default [
  {
    files: ["schema.graphql"],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: "schema.graphql" } } },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...rules,
      // Two that need options of one's own: fields stand in an order that has a meaning, and there are mutations.
      "@graphql-eslint/alphabetize": "off",
      "@graphql-eslint/no-root-type": "off",
      // Connections have `nodes` beside `edges`, and lists of parts are no connections. That rows of lists are nodes, but for state
      // changes, which are read with their row only, is a test of its own (tests/it/schema.rs).
      "@graphql-eslint/relay-edge-types": ["error", { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false }],
      // Relay contradicts these two: its connections, edges and payloads are values without ids, and a payload tells what was changed.
      "@graphql-eslint/strict-id-in-types": "off",
      "@graphql-eslint/require-field-of-type-query-in-mutation-result": "off",
    },
  },
];
