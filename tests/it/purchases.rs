//! `examples/purchases`: what the API answers is what was counted in the file without it, however often it is imported.

use std::{fmt::Write as _, path::PathBuf, process::Command};

use entity::Permission;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{dump::Dump, server::Door};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/purchases");
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/cdnow/CDNOW_master.txt");

/// The first purchases of the file: 2,000, unless `RAPPORT_TEST_PURCHASES` is another number. Where there is no file,
/// lines of its form.
#[expect(clippy::disallowed_methods, reason = "a setting of the tests themselves")]
fn lines() -> Vec<String> {
    let count = std::env::var("RAPPORT_TEST_PURCHASES").map_or(2_000, |count| count.parse().unwrap());
    let file = std::fs::read_to_string(FILE).unwrap_or_else(|_| {
        let mut file = " customer_id  date number_of_cds  dollar_value\r\n".to_owned();
        for line in 0..2_000 {
            let (customer, day, cents) = (line / 3 + 1, 19_970_101 + line % 28, line % 50 * 1_237);
            write!(file, " {customer:05} {day} {:>2} {:>7.2}\r\n", line % 4 + 1, f64::from(cents) / 100.0).unwrap();
        }
        file
    });
    file.lines().take(count + 1).map(str::to_owned).collect()
}

/// A server, and a file to import.
struct Shop {
    door: Door,
    folder: TempDir,
}

/// How a program ended, what it printed, and what it complained of.
struct Ended {
    is_success: bool,
    output: String,
    complaint: String,
}

impl Shop {
    async fn open(lines: &[String]) -> Self {
        let shop = Self { door: Door::for_imports().await, folder: tempfile::tempdir().unwrap() };
        shop.write(lines);
        shop
    }

    fn write(&self, lines: &[String]) {
        std::fs::write(self.file(), lines.join("\r\n") + "\r\n").unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("CDNOW_master.txt")
    }

    async fn run(&self, program: &str, arguments: &[&str]) -> Ended {
        let mut command = Command::new("python3");
        command.arg(format!("{FOLDER}/{program}")).args(arguments).env("NO_PROXY", "127.0.0.1");
        if program != "count.py" {
            command.args(["--url", &format!("{}/graphql", self.door.url)]);
            command.env("RAPPORT_TOKEN", self.door.token(Permission::ALL));
        }
        if program != "totals.py" {
            command.arg(self.file());
        }
        let output = tokio::task::spawn_blocking(move || command.output().expect("python3 runs")).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { is_success: output.status.success(), output: text(output.stdout), complaint: text(output.stderr) }
    }

    /// The last line of the report: how many rows changed.
    async fn import(&self, arguments: &[&str]) -> String {
        let ended = self.run("import.py", arguments).await;
        assert!(ended.is_success && ended.complaint.is_empty(), "{}", ended.complaint);
        // As housekeeping does a few seconds after a load.
        self.door.app.store.analyze_new_tables().await.unwrap();
        ended.output.lines().last().unwrap().to_owned()
    }

    async fn printed(&self, program: &str) -> Value {
        let ended = self.run(program, &[]).await;
        assert!(ended.is_success, "{}", ended.complaint);
        serde_json::from_str(&ended.output).unwrap()
    }

    /// Every row of the organization but the calls that were made.
    async fn state(&self) -> Dump {
        let mut state = self.door.app.dump(self.door.acme).await;
        state.retain(|table, _| !table.starts_with("idempotency"));
        state
    }

    async fn ask(&self, document: &str) -> Value {
        self.door.app.caller(self.door.acme, Permission::ALL).ask(document).await
    }
}

#[actix_web::test]
async fn totals_are_those_counted_in_the_file_and_importing_it_again_changes_nothing() {
    let lines = lines();
    let shop = Shop::open(&lines).await;
    let counted = shop.printed("count.py").await;
    assert_eq!(counted["purchases"], lines.len() - 1);
    assert_ne!(counted["free"], 0);
    let rows = counted["purchases"].as_u64().unwrap() + counted["customers"].as_u64().unwrap();
    assert_eq!(shop.import(&[]).await, format!("{} changed", rows + 2));
    assert_eq!(shop.printed("totals.py").await, counted);

    let before = shop.state().await;
    assert_eq!(shop.import(&[]).await, "nothing changed");
    assert_eq!(shop.import(&["--fresh", "--at-once", "1"]).await, "nothing changed");
    let after = shop.state().await;
    let changed: Vec<_> =
        after.iter().filter(|(table, rows)| before[*table] != **rows).map(|(table, _)| table).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

#[actix_web::test]
async fn a_purchase_is_one_line_of_a_customer_at_the_point_of_sale() {
    let line = |day: &str| format!(" 00042 {day}  3   29.33");
    let header = lines().remove(0);
    // The same line twice is two purchases; summer and winter have other midnights.
    let shop = Shop::open(&[header, line("19970102"), line("19970102"), line("19970702")]).await;
    assert_eq!(shop.import(&[]).await, "6 changed");
    let found = shop
        .ask(
            r#"{ customer(by: { externalId: { system: "cdnow", id: "00042" } }) {
                purchases(orderBy: [{ field: ID }]) { nodes {
                    boughtAt amount { amount currency } itemCount refunded { amount } externalIds { system id }
                    point { kind owner { name } }
                } }
            } }"#,
        )
        .await;
    let purchase = |number: &str, at: &str| {
        json!({
            "boughtAt": at, "amount": { "amount": "29.33", "currency": "USD" }, "itemCount": 3, "refunded": null,
            "externalIds": [{ "system": "cdnow-row", "id": number }],
            "point": { "kind": "POINT_OF_SALE", "owner": { "name": "Record shop" } },
        })
    };
    let winter = "1997-01-02T05:00:00Z";
    let expected = [purchase("1", winter), purchase("2", winter), purchase("3", "1997-07-02T04:00:00Z")];
    assert_eq!(found["customer"]["purchases"]["nodes"], json!(expected));
}

#[actix_web::test]
async fn an_import_that_stopped_goes_on_where_it_did() {
    let lines = lines();
    let mut broken = lines.clone();
    broken[1_500] = format!("{}-1.00", &lines[1_500][..lines[1_500].len() - 7]);
    let shop = Shop::open(&broken).await;
    let ended = shop.run("import.py", &["--at-once", "1"]).await;
    assert!(!ended.is_success && ended.output.is_empty(), "{}", ended.output);
    assert!(ended.complaint.contains("OUT_OF_RANGE at amount"), "{}", ended.complaint);
    let total = "{ purchases { totalCount } }";
    assert_eq!(shop.ask(total).await["purchases"]["totalCount"], 1_000);

    shop.write(&lines);
    assert_eq!(shop.import(&[]).await, format!("{} changed", lines.len() - 1 - 1_000));
    assert_eq!(shop.printed("totals.py").await, shop.printed("count.py").await);
}

#[actix_web::test]
async fn a_file_of_another_form_is_refused_before_anything_is_sent() {
    let header = lines().remove(0);
    for wrong in [" 00042 19970102  3   29.333", " 00042 19970230  3   29.33", "00042,19970102,3,29.33", ""] {
        let shop = Shop::open(&[header.clone(), " 00042 19970102  3   29.33".to_owned(), wrong.to_owned()]).await;
        let ended = shop.run("import.py", &[]).await;
        assert!(!ended.is_success && ended.complaint.starts_with("Purchase 2 "), "{}", ended.complaint);
        assert_eq!(shop.ask("{ customers { totalCount } }").await["customers"]["totalCount"], 0);
    }
    let shop = Shop::open(&[" 00042 19970102  3   29.33".to_owned()]).await;
    let ended = shop.run("import.py", &[]).await;
    assert!(!ended.is_success && ended.complaint.contains("customer_id"), "{}", ended.complaint);
}
