//! A panic in a request: returns an error in the usual format, writes nothing, and the next request succeeds.

use serde_json::json;

use crate::{
    database::Database,
    server::{Server, organizations},
};

/// More than there are connections and workers.
const TIMES: usize = 20;

#[tokio::test]
async fn a_panic_is_one_answer_and_costs_nothing_else() {
    let database = Database::make().await;
    let [organization] = organizations(&database.url).await;
    let mut server = Server::start(&database.url, &["--database-connections", "4"]).await;
    let caller = server.caller(organization, "mia");
    let before = caller.count().await.total();
    let rows = async || {
        let sql = "SELECT CAST((SELECT COUNT(*) FROM department) AS TEXT), CAST((SELECT COUNT(*) FROM event) AS TEXT), \
                   CAST((SELECT COUNT(*) FROM idempotency) AS TEXT)";
        database.look(sql.to_owned()).await
    };
    let stored = rows().await;
    let (reader, writer) =
        (server.caller(organization, "fault:panic-at-read"), server.caller(organization, "fault:panic-at-commit"));
    for at in 0..TIMES {
        for answer in [reader.count().await, writer.create(&format!("{at}")).await] {
            assert_eq!((answer.status, answer.code()), (500, "INTERNAL_SERVER_ERROR"), "{answer:?}");
            assert_eq!(answer.body["errors"][0]["extensions"]["requestId"], json!(answer.request_id));
            assert!(answer.request_id.is_some() && answer.body.get("data").is_none());
            assert!(!answer.body.to_string().contains("a test asked for it"));
        }
    }
    assert_eq!(rows().await, stored);
    for at in 0..TIMES {
        assert!(caller.create(&format!("{at}")).await.is_good());
    }
    assert_eq!(caller.count().await.total(), before + TIMES as u64);
    assert!(server.runs());
}
