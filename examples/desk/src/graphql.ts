// Typed documents: their results and variables follow from the schema that the build read.
import { initGraphQLTada } from "gql.tada";
import type { introspection } from "./schema.d.ts";

/** `graphql("query …")` is a document whose types TypeScript knows. Every scalar of the desk is text in JSON. */
export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: { DateTime: string };
}>();
