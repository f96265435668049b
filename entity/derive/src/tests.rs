//! Tests of the generated code and of the error messages.

use syn::DeriveInput;

use crate::{expand::expand, noun::NounInput, object};

/// Returns a model with these attributes and columns in addition to the kernel columns.
fn model(noun: &str, columns: &str) -> String {
    format!(
        "/// A thing.
        #[sea_orm(table_name = \"thing\")]
        #[noun({noun})]
        pub struct Model {{
            pub organization_id: OrganizationId,
            pub id: ThingId,
            pub version: i64,
            pub created_at: ChronoUnixTimestampMillis,
            pub updated_at: ChronoUnixTimestampMillis,
            {columns}
        }}"
    )
}

const NOUN: &str = "prefix = \"thing\", read = MapRead, write = MapWrite, operations = PART";

/// Returns the code generated from a model, without spaces.
fn made(noun: &str, columns: &str) -> String {
    let input: DeriveInput = syn::parse_str(&model(noun, columns)).unwrap();
    expand(&NounInput::read(&input).unwrap()).to_string().replace(' ', "")
}

/// Returns the error message for an invalid model.
fn refused(noun: &str, columns: &str) -> String {
    let input: DeriveInput = syn::parse_str(&model(noun, columns)).unwrap();
    NounInput::read(&input).unwrap_err().to_string()
}

#[test]
fn names_follow_from_those_of_the_table() {
    let made = made(NOUN, "/// A. \n #[noun(optional, max = 9)] pub nick_name: Option<String>,");
    for wanted in [
        r#"name:"Thing""#,
        r#"singular:"thing""#,
        r#"plural:"things""#,
        r#"doc:"Athing.""#,
        r#"name:"nickName",column:"nick_name",kind:crate::noun::Kind::Text{max:9},is_nullable:true"#,
        r#"pubconstNICK_NAME:crate::Col<Option<String>>=crate::Col::new(&NOUN,"nick_name")"#,
    ] {
        assert!(made.contains(wanted), "{wanted} in {made}");
    }
}

#[test]
fn a_column_of_an_id_type_is_a_relation_with_its_inverse() {
    let made = made(
        NOUN,
        "/// Who owns it. \n #[noun(fixed, part, inverse(own_things = \"Its.\"))] pub owner_id: CustomerId,",
    );
    for wanted in [
        r#"name:"owner",doc:"Whoownsit.",link:crate::noun::Link::One{column:"owner_id",is_nullable:false,"#,
        r#"name:"ownThings",doc:"Its.",link:crate::noun::Link::Many{column:"owner_id",is_part:true}"#,
        "pubenumRelation{#[doc=\"By`owner_id`.\"]Owner}",
    ] {
        assert!(made.contains(wanted), "{wanted} in {made}");
    }
}

#[test]
fn two_relations_to_one_noun_are_no_related_of_sea_orm() {
    let one = "/// A. \n pub from_id: CustomerId,";
    assert!(made(NOUN, one).contains("implsea_orm::Related<"));
    assert!(!made(NOUN, &format!("{one} /// B. \n pub to_id: CustomerId,")).contains("implsea_orm::Related<"));
}

#[test]
fn a_mistake_has_attributes_with_what_is_allowed() {
    for (noun, columns, message) in [
        ("prefx = \"thing\"", "", "a noun has `prefix = \"…\"`"),
        ("prefix = \"thing\"", "", "`read = …` is missing"),
        (&NOUN.replace("PART", "ALL"), "", "`FULL`, `PART` or a list"),
        (&NOUN.replace("PART", "FULL"), "", "pub archived_at: Option<ChronoUnixTimestampMillis>"),
        (NOUN, "/// A. \n #[noun(requird)] pub name: String,", "a column may be `required`"),
        (NOUN, "/// A. \n #[noun(required, fixed)] pub is_old: bool,", "one of `required`"),
        (NOUN, "/// A. \n #[noun(personal = Name)] pub is_old: bool,", "`Identifier`, `Contact` or `FreeText`"),
        (NOUN, "/// A. \n #[noun(unguarded)] pub is_old: bool,", "only a `personal` column"),
        (NOUN, "/// A. \n #[noun(inverse(things = \"B.\"))] pub is_old: bool,", "only a relation"),
        (
            NOUN,
            "/// A. \n #[noun(optional, money)] pub fee: Option<Amount>,",
            "`pub fee_currency: Option<CurrencyCode>`",
        ),
        (NOUN, "/// A. \n #[noun(optional, money)] pub fee: Option<i64>,", "for an `Amount`"),
        (NOUN, "/// A. \n #[noun(fixed, part)] pub owner_id: CustomerId,", "with an `inverse` is a `part`"),
        (NOUN, "/// A. \n #[noun(default = \"true\")] pub is_old: Option<bool>,", "never null"),
        (NOUN, "pub is_old: bool,", "the doc comment of a column"),
        (NOUN, "/// A. \n #[noun(searchable, max = 9)] pub name: String,", "`pub name_folded: String`"),
        (NOUN, "/// A. \n #[noun(max = 9)] pub name: String, pub name_folded: String,", "not searchable"),
        (NOUN, "/// A. \n pub owner: CustomerId,", "ends in `_id`"),
    ] {
        let error = refused(noun, columns);
        assert!(error.contains(message), "{columns}: {error}");
    }
}

#[test]
fn a_lifecycle_becomes_mutations_and_an_enum() {
    let declared = "/// A. \n #[noun(lifecycle(initial = Open, no_show(from(Open), to = Done, requires(reason),
        stamps = done_at, doc = \"Ends.\")))] pub state: ThingState,
        /// B. \n #[noun(max = 9)] pub reason: Option<String>, /// C. \n pub done_at: Option<ChronoUnixTimestampMillis>,";
    let made = made(NOUN, declared);
    for wanted in [
        r#"name:"NO_SHOW",field:"thingNoShow",doc:"Ends.",from:&[ThingState::Open.text()],to:ThingState::Done.text()"#,
        r#"required:&["reason"],accepted:&[],stamps:Some("done_at")"#,
        r#"Transitionas"ThingTransition"{#[doc="Ends."]NoShow="NO_SHOW",}"#,
        r#"name:"ThingStateChange""#,
    ] {
        assert!(made.contains(wanted), "{wanted} in {made}");
    }
    assert_eq!(made.matches("Writable::Imported").count(), 3);
}

#[test]
fn a_lifecycle_that_makes_no_sense_is_refused_where_it_stands() {
    for (lifecycle, message) in [
        ("end(from(Open), to = Done, doc = \"Ends.\")", "a lifecycle has `initial"),
        ("initial = Open", "a lifecycle has `initial"),
        ("initial = Open, end(from(Open), doc = \"Ends.\")", "a transition has `from"),
        ("initial = Open, end(from(Gone), to = Done, doc = \"Ends.\")", "no transition leads to this state"),
        ("initial = Open, archive(from(Open), to = Done, doc = \"Ends.\")", "the kernel has a mutation"),
        ("initial = Open, end(from(Open), to = Done, requires(why), doc = \"Ends.\")", "no such column"),
        ("initial = Open, end(from(Open), to = Done, requires(size), doc = \"Ends.\")", "make it an `Option`"),
        ("initial = Open, end(from(Open), to = Done, stamps = size, doc = \"Ends.\")", "stamps an instant"),
    ] {
        let columns =
            format!("/// A. \n #[noun(lifecycle({lifecycle}))] pub state: ThingState, /// B. \n pub size: bool,");
        let error = refused(NOUN, &columns);
        assert!(error.contains(message), "{lifecycle}: {error}");
    }
}

#[test]
fn a_kind_without_its_bounds_has_attributes_at_the_type() {
    for (column, message) in [
        ("pub name: String", "#[noun(max = 200)]"),
        ("pub rank: i64", "#[noun(min = 1, max = 5)]"),
        ("#[noun(max = 5)] pub score: f64", "#[noun(min = 1, max = 5)]"),
        ("#[noun(max = 5)] pub is_old: bool", "only a text or a number"),
        ("pub row_id: Uuid", "row_of"),
    ] {
        let input: DeriveInput = syn::parse_str(&model(NOUN, &format!("/// A. \n {column},"))).unwrap();
        let made = expand(&NounInput::read(&input).unwrap()).to_string();
        assert!(made.contains("compile_error"), "{column}: {made}");
        assert!(made.contains(&message.replace('"', "\\\"")), "{column}: {made}");
    }
}

#[test]
fn an_output_shows_a_row_without_the_id_of_its_field() {
    let output = "/// A thing. \n #[output(read = MapRead)] struct Thing {
        /// When. \n made_at: Instant,
        /// Whose. \n owner_id: CustomerId,
        /// What sort. \n r#type: String,
    }";
    let made = object::output(&syn::parse_str(output).unwrap()).unwrap().to_string().replace(' ', "");
    assert!(made.contains("name:\"madeAt\""), "{made}");
    assert!(made.contains("row:\"owner\",column:\"owner_id\""), "{made}");
    assert!(made.contains("name:\"type\""), "{made}");
    assert!(made.contains("(\"Thing\",\"Athing.\"),Some(entity::Permission::MapRead)"), "{made}");
}

#[test]
fn an_input_has_defaults_and_bounds() {
    let input = "/// A page. \n struct Page {
        /// How many. \n #[input(default = 100, range = 1..=1_000)] first: i64,
        /// Whose. \n #[input(default, most = 3)] names: Vec<String>,
    }";
    let made = object::input(&syn::parse_str(input).unwrap()).unwrap().to_string().replace(' ', "");
    assert!(made.contains("argument::<i64,_>(\"first\",\"Howmany.\",Some(100))"), "{made}");
    assert!(made.contains("range:Some((1,1_000)),max:None,most:None"), "{made}");
    assert!(made.contains("\"names\",Some(Default::default())"), "{made}");
}

#[test]
fn mistakes_of_an_object_say_what_is_allowed() {
    let refused = |text: &str| {
        let input = syn::parse_str(text).unwrap();
        object::input(&input).or_else(|_| object::output(&input)).unwrap_err().to_string()
    };
    assert!(refused("struct Thing { /// A. \n a: i64 }").contains("doc comment of the struct"));
    assert!(refused("/// A. \n struct Thing { a: i64 }").contains("doc comment of a field"));
    assert!(refused("/// A. \n enum Thing { A }").contains("is a struct"));
    let range = "/// A. \n struct Thing { /// A. \n #[input(range = 1..5)] a: i64 }";
    assert!(object::input(&syn::parse_str(range).unwrap()).unwrap_err().to_string().contains("1..=1_000"));
    let word = "/// A. \n struct Thing { /// A. \n #[input(least = 5)] a: i64 }";
    assert!(object::input(&syn::parse_str(word).unwrap()).unwrap_err().to_string().contains("`range`"));
}

#[test]
fn a_timeline_is_placed_by_instants_the_last_of_which_is_never_null() {
    let columns = "/// When. \n #[noun(optional)] pub done_at: Option<ChronoUnixTimestampMillis>,
        /// Where. \n #[noun(fixed, inverse(own_things = \"Its.\"))] pub owner_id: CustomerId,";
    let made = made(&format!("{NOUN}, timeline(at(done_at, created_at), via(owner))"), columns);
    let wanted = r#"timeline:Some(crate::noun::Timeline{at:&["done_at","created_at"],via:Some("owner")})"#;
    assert!(made.contains(wanted), "{made}");
    for (words, message) in [
        ("at(done_at)", "the last one, and no other, is never null"),
        ("at(updated_at, created_at)", "the last one, and no other, is never null"),
        ("at(owner_id)", "columns with instants"),
        ("via(owner)", "at least one column"),
        ("at(created_at), via(nobody)", "`via` names a relation"),
        ("of(created_at)", "a timeline has `at(…)`"),
    ] {
        let refused = refused(&format!("{NOUN}, timeline({words})"), columns);
        assert!(refused.contains(message), "{words}: {refused}");
    }
}
