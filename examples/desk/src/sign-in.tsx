// Asks for the address of the API and a token, and tries both before it keeps them.
import { Api } from "./api.ts";
import { TextField } from "./fields.tsx";
import { Form } from "./form.tsx";
import { graphql } from "./graphql.ts";
import type { Session } from "./session.ts";
import { Title } from "./title.tsx";

const WHO = graphql(`query Who { viewer { subject } }`);

interface Props {
  url: string | undefined;
  begin: (session: Session) => void;
}

export function SignIn({ url, begin }: Props) {
  return (
    <>
      <Title>Go to your desk</Title>
      <Form
        action="Begin"
        send={async ({ text }) => {
          const given = { url: text("url") ?? "", token: text("token") ?? "" };
          if (!URL.canParse(given.url)) return [{ code: "INVALID", message: "this is no address; it looks like http://127.0.0.1:8080/graphql", path: ["url"] }];
          if (given.token === "") return [{ code: "REQUIRED", message: "a token is needed; rapport token prints one", path: ["token"] }];
          await new Api(given, () => undefined).ask(WHO, {});
          begin(given);
          return [];
        }}
      >
        <TextField name="url" label="Address of the API" hint="It ends in /graphql." value={url ?? "http://127.0.0.1:8080/graphql"} />
        <TextField name="token" label="Token" hint="It is kept until this tab is closed." />
      </Form>
    </>
  );
}
