// The client: sends typed documents, and tells an answer with errors from one that could not be had.
import { Client, type CombinedError, type TypedDocumentNode, fetchExchange } from "@urql/core";
import type { Session } from "./session.ts";

/** A mistake in the input of a mutation, as the API answers it: `path` names the field. */
export interface Mistake {
  code: string;
  message: string;
  path: string[];
}

/** The request itself failed; the text says why. */
export class Failure extends Error {}

type Variables = Record<string, unknown>;

export class Api {
  readonly #client: Client;
  readonly #notice: (text: string) => void;

  /** `notice` is told what an answer lacks, for example because the token may not read it. */
  constructor({ url, token }: Session, notice: (text: string) => void) {
    this.#notice = notice;
    this.#client = new Client({
      url,
      preferGetMethod: false,
      requestPolicy: "network-only",
      exchanges: [fetchExchange],
      fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    });
  }

  /** Asks a question. Fields that the token may not read are null, and the rest of the answer stands. */
  async ask<Data, Asked extends Variables>(document: TypedDocumentNode<Data, Asked>, variables: Asked): Promise<Data> {
    const { data, error } = await this.#client.query<Data, Asked>(document, variables).toPromise();
    if (data === undefined || data === null) throw new Failure(reason(error));
    if (error !== undefined) this.#notice(reason(error));
    return data;
  }

  /** Sends a change. The answer has the mistakes in the input; what is wrong with the request is a `Failure`. */
  async change<Data, Asked extends Variables>(document: TypedDocumentNode<Data, Asked>, variables: Asked): Promise<Data> {
    const { data, error } = await this.#client.mutation<Data, Asked>(document, variables).toPromise();
    if (data === undefined || data === null || error !== undefined) throw new Failure(reason(error));
    return data;
  }
}

function reason(error: CombinedError | undefined): string {
  const [first] = error?.graphQLErrors ?? [];
  if (first !== undefined) return first.message;
  if (error?.networkError === undefined) return "The answer is not GraphQL. Is the address that of a /graphql endpoint?";
  return "The API does not answer. Is its address right, and does it allow this page's origin (--cors-origin)?";
}

/** A key that makes it safe to send a change again when its answer got lost. */
export function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
