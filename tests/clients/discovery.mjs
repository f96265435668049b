// oauth4webapi finds the token endpoint of RAPPORT_URL (RFC 8414), exchanges the credentials of a new API client with both methods of RFC 6749, and
// verifies the tokens as a resource server would (RFC 9068). RAPPORT_TOKEN makes the client.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";

const url = new URL(process.env.RAPPORT_URL);
// The server of this test speaks HTTP.
const options = { [oauth.allowInsecureRequests]: true };

async function graphql(token, query) {
  const response = await fetch(new URL("/graphql", url), {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

const found = await oauth.discoveryRequest(url, { algorithm: "oauth2", ...options });
const server = await oauth.processDiscoveryResponse(url, found);
assert.deepEqual(server.grant_types_supported, ["client_credentials"]);
const resource = await oauth.resourceDiscoveryRequest(url, options);
const api = await oauth.processResourceDiscoveryResponse(url, resource);
assert.deepEqual(api.authorization_servers, [server.issuer]);

const made = await graphql(
  process.env.RAPPORT_TOKEN,
  `mutation { apiClientCreate(input: { name: "Discovery", scopes: ["map:read"] }) { node { id } secret } }`,
);
const client = { client_id: made.apiClientCreate.node.id };
const { secret } = made.apiClientCreate;
for (const method of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
  const parameters = { scope: "map:read", resource: server.issuer };
  const response = await oauth.clientCredentialsGrantRequest(server, client, method(secret), parameters, options);
  const { access_token: token } = await oauth.processClientCredentialsResponse(server, client, response);
  const request = new Request(url, { headers: { authorization: `Bearer ${token}` } });
  const claims = await oauth.validateJwtAccessToken(server, request, "rapport", options);
  assert.equal(claims.client_id, client.client_id);
  assert.equal((await graphql(token, "{ organization { slug } }")).organization.slug, "discovery");
}
const refused = await oauth.clientCredentialsGrantRequest(server, client, oauth.ClientSecretPost("wrong"), {}, options);
await assert.rejects(oauth.processClientCredentialsResponse(server, client, refused));
console.log("Found, exchanged by both methods, and verified.");
