// What every part of the page may use: the API, and the line in which the page says what has happened.
import { createContext } from "preact";
import { useCallback, useContext, useEffect, useState } from "preact/hooks";
import { type Api, Failure } from "./api.ts";

export interface Desk {
  api: Api;
  /** Says something in the line that screen readers read out when it changes. */
  say: (text: string) => void;
}

export const DeskContext = createContext<Desk | undefined>(undefined);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === undefined) throw new Error("there is no desk around this component");
  return desk;
}

export interface Answer<Data> {
  data: Data | undefined;
  /** Why it could not be had. */
  failure: string | undefined;
  reload: () => Promise<void>;
}

/** Asks for something when the component appears, and again when one of `inputs` changes. */
export function useAnswer<Data>(ask: (api: Api) => Promise<Data>, inputs: readonly unknown[]): Answer<Data> {
  const { api } = useDesk();
  const [data, setData] = useState<Data>();
  const [failure, setFailure] = useState<string>();
  const load = useCallback(
    async (isWanted: () => boolean) => {
      try {
        const answer = await ask(api);
        if (isWanted()) (setData(() => answer), setFailure(undefined));
      } catch (error) {
        if (isWanted()) setFailure(told(error));
      }
    },
    [api, ...inputs],
  );
  useEffect(() => {
    let isWanted = true;
    setData(undefined);
    void load(() => isWanted);
    return () => void (isWanted = false);
  }, [load]);
  return { data, failure, reload: () => load(() => true) };
}

/** What to tell the user of an exception. */
export function told(error: unknown): string {
  if (error instanceof Failure) return error.message;
  throw error;
}
