// Chooses the customer while a name is typed: one whom the organization knows, or a new one.
import { useEffect, useState } from "preact/hooks";
import type { Api, Mistake } from "./api.ts";
import { useDesk } from "./desk.ts";
import { TextField } from "./fields.tsx";
import { graphql } from "./graphql.ts";

/** The customer of a form: an `id` if it is a known one, and otherwise the name of a new one. */
export interface Chosen {
  id?: string;
  name: string;
}

const FIND = graphql(`
  query FindCustomers($name: String!) {
    customers(first: 6, filter: { name: { contains: $name } }, orderBy: [{ field: NAME }]) {
      totalCount
      nodes { id name segment account { name } }
    }
  }
`);

const MAKE = graphql(`
  mutation MakeCustomer($input: CustomerCreateInput!) {
    customerCreate(input: $input) { node { id } errors { code message path } }
  }
`);

interface Found {
  id: string;
  text: string;
}

export function Customer({ chosen, choose }: { chosen: Chosen; choose: (chosen: Chosen) => void }) {
  const { api } = useDesk();
  const [found, setFound] = useState<Found[]>([]);
  const [count, setCount] = useState<number>();
  const { name, id } = chosen;

  useEffect(() => {
    setCount(undefined);
    setFound([]);
    if (name.trim().length < 2) return;
    const wait = setTimeout(async () => {
      const { customers } = await api.ask(FIND, { name: name.trim() }).catch(() => ({ customers: null }));
      const nodes = customers?.nodes ?? [];
      setFound(nodes.map((node) => ({ id: node.id, text: [node.name, node.account?.name, node.segment].filter(Boolean).join(", ") })));
      setCount(customers?.totalCount);
    }, 250);
    return () => clearTimeout(wait);
  }, [api, name]);

  return (
    <>
      <TextField
        name="customerName"
        label="Customer"
        hint="Leave it empty if it is not known who complains."
        value={name}
        onInput={(name) => choose({ name })}
      />
      <p class="hint" aria-live="polite">
        {count !== undefined && (count === 0 ? "No customer of that name is known." : `${count} known, the first ${found.length}:`)}
      </p>
      {found.length > 0 && (
        <fieldset>
          <legend>Who is it?</legend>
          <label class="option">
            <input type="radio" name="who" checked={id === undefined} onChange={() => choose({ name })} /> Somebody new
          </label>
          {found.map((known) => (
            <label class="option" key={known.id}>
              <input type="radio" name="who" checked={id === known.id} onChange={() => choose({ name, id: known.id })} /> {known.text}
            </label>
          ))}
        </fieldset>
      )}
    </>
  );
}

/** Returns a reference to the chosen customer, whom it creates if need be; none if nobody is chosen. */
export async function customerRef(api: Api, { id, name }: Chosen, idempotencyKey: string): Promise<[{ id: string } | null, Mistake[]]> {
  if (id !== undefined) return [{ id }, []];
  if (name.trim() === "") return [null, []];
  const { customerCreate: made } = await api.change(MAKE, { input: { name: name.trim(), idempotencyKey } });
  const mistakes = (made?.errors ?? []).map((mistake) => (mistake.path[0] === "name" ? { ...mistake, path: ["customerName"] } : mistake));
  return [made?.node ? { id: made.node.id } : null, mistakes];
}
