// What graphql-js says to strings, numbers and documents: node documents.mjs > ../it/data/graphql_js.json
//
// `values` stand for the value in { a(x: VALUE) }: what comes of it, or that it is refused. `documents` are whole documents,
// by the parser and the rule that an input field is given once. The same each time.
import { Kind, parse, validate, UniqueInputFieldNamesRule, buildSchema, version } from "graphql";

// Mulberry32.
let state = 20_26;
const random = (below) => {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
};
const some = (pieces, most) => Array.from({ length: random(most) + 1 }, () => pieces[random(pieces.length)]).join("");

const schema = buildSchema("type Query { a: Int }");
const readable = (document) => {
  const parsed = parse(document);
  const errors = validate(schema, parsed, [UniqueInputFieldNamesRule]);
  if (errors.length > 0) throw errors[0];
  return parsed;
};
const plain = (node) => {
  switch (node.kind) {
    case Kind.INT:
    case Kind.FLOAT:
      return { number: String(Number(node.value)) };
    case Kind.STRING:
      return node.value;
    case Kind.LIST:
      return node.values.map(plain);
    case Kind.OBJECT:
      return { object: node.fields.map((field) => [field.name.value, plain(field.value)]) };
    case Kind.ENUM:
      return { enum: node.value };
    case Kind.NULL:
      return null;
    default:
      return node.value;
  }
};
const judged = (value) => {
  try {
    return { value, is: plain(readable(`{ a(x: ${value}) }`).definitions[0].selectionSet.selections[0].arguments[0].value) };
  } catch {
    return { value, refused: true };
  }
};
const verdict = (document) => {
  try {
    readable(document);
    return { document, refused: false };
  } catch {
    return { document, refused: true };
  }
};

const quoted = [
  "", "a", "é", "😀", "\u0000", "\u0007", "\u007f", "\u200b", "\u202e", "\ufeff", "\u2028", "\ufffe", "\t", "\n", "\r", "\r\n", "'", "#", ",",
  '\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\", "\\a", "\\v", "\\0", "\\x41", "\\'", "\\N", "\\U0041", "\\ ", "\\\n",
  "\\u0041", "\\u00e9", "\\u00E9", "\\u0000", "\\uFFFF", "\\uFFFE", "\\uD7FF", "\\uE000", "\\u", "\\u0", "\\u00", "\\u004", "\\u00g1", "\\u-041", "\\u 041",
  "\\uD83D\\uDE00", "\\ud83d\\ude00", "\\uD83D", "\\uDE00", "\\uDE00\\uD83D", "\\uD83D\\uD83D", "\\uD83D\\u0041", "\\uD83D\\n", "\\uD83D😀", "\\uD83D\\u{DE00}", "\\uDBFF\\uDFFF", "\\uD800\\uDC00",
  "\\u{1F600}", "\\u{1f600}", "\\u{41}", "\\u{0}", "\\u{A}", "\\u{22}", "\\u{5C}", "\\u{000041}", "\\u{0000041}", "\\u{00000041}", "\\u{000000041}", "\\u{0000000041}", "\\u{10FFFF}", "\\u{110000}", "\\u{FFFFFFFF}", "\\u{100000041}",
  "\\u{}", "\\u{", "\\u{41", "\\u{g}", "\\u{ 41}", "\\u{+41}", "\\u{-1}", "\\u{D800}", "\\u{DFFF}", "\\u{D83D}\\u{DE00}", "\\u{D7FF}", "\\u{E000}", "\\U{41}", "caf\\u00e9 \\uD83D\\uDE00 \\u{1F600}",
].map((text) => `"${text}"`);
const blocks = [
  "", " ", "\n", "\n\n", "\r", "\r\n\r\n", "a", " a ", "\na\n", "\n  a\n  b\n", "\n    a\n  b\n", "  a\n    b\n  c", "a\n  b\n\n    c", "\n\n\n  a\n\n\n", "\n  \n  a\n \n  b\n    \n",
  "\r\n  a\r\n    b\r\n", "\r  a\r    b\r", "\n\ta\n\t\tb\n", "\n \ta\n\t b\n", "\n  a\n \t \n  b", "\n  a\n   \n      \n  b", "a\n\n", "\n\na", "a\\", "\\n \\u0041 \\uD83D \\", '\\"""', '"', '""', 'a" ', '\\""" \\"""', "\\\\", '\\\\"""', 'a""""', '\\""', '\\"""\n  \\"""',
  "\u0000", "\u0007", "\u200b", "\ufeff a\n  b", "\n\u00a0a\n  b", "é\n  é", "😀\n   😀\n  😀", "# no comment", "\u2028  a\n  b", "\n  a\u2028  b\n", "\n   a\n  \u00a0\n    b", "a\n b\n  c\n", "  \n  a", "a\n  ", "\n a\n\n\n b\n",
].map((text) => `"""${text}"""`);
const numbers = [
  "0", "-0", "1", "-1", "007", "00", "01", "-01", "-", "--1", "+1", "1.", "1.0", "1.5", ".5", "-.5", "1.e1", "1e1", "1E1", "1e+1", "1e-1", "1e", "1e+", "1e1.5", "1e1e1", "1.5.5", "0.0", "-0.0", "0e0", "00.1", "0xF", "0b1", "0o7", "1a", "1_000", "1n", "1.0f", "1e1f", "1..2", "1...", "NaN", "Infinity", "-Infinity", "1,5", "1 .5", "- 1", "½", "١",
  "2147483647", "2147483648", "-2147483648", "9007199254740991", "-9007199254740991", "4294967296.5", "1e21", "1e308", "-1e308", "5e-324", "123456789.123456789",
];
const others = [
  '"a" "b"', '"a"b"', "'a'", "`a`", '"a', '"', '""', '"""', '""""', '"""""', '""""""', '"""""""', '""""""""', '"""a', '"""a"', '"""a""', '"""a\\"""', '"a\\"', '"\\"', '"\\', '"\\u', '"\\u{', '"a"#b"', '"""a"""b', '"" ""',
  "null", "true", "false", "nullable", "trueish", "falsey", "NULL", "True", "A", "_", "__a", "a-b", "é", "[]", "[[]]", "[,]", "[1,,2]", "[1 2]", '["a""b"]', '["a"""]', "[", "]", "{}", "{a:1}", "{a: 1, b: 2}", "{a: 1 b: 2}", "{a: 1, a: 1}", '{a: "x", b: {a: "y"}}',
  "{a: {b: 1, b: 2}}", "[{a: 1}, {a: 2}]", "[{a: 1, a: 2}]", "{a}", "{a:}", "{:1}", "{1: 1}", '{"a": 1}', "{a = 1}", "{a: 1,}", "\ufeff1", "1\ufeff", "\ufeff\ufeff[\ufeff1\ufeff]", "\u00a01", "\u200b1", "1 # c", "1 # c\n", "[1 # c]\n]", "[1 # c\r]", "[1 # \u0000\n]", "[#\n]", "\u00001", "1\u0007", "$", "@a", "!", "&", "|", "a: 1", "...", "..", ";", "\\",
];
const mixed = [
  ...Array.from({ length: 160 }, () => `"${some(["a", "é", "😀", " ", "\\n", '\\"', "\\\\", "\\u0041", "\\uD83D\\uDE00", "\\u{1F600}", "\\u{22}", "\\u005c", "\\uD83D", "\\u{", "\\u{41", "}", "\\x", "\n"], 5)}"`),
  ...Array.from({ length: 240 }, () => `"""${some(["a", "é", " ", "  ", "\t", "\n", "\n", "\r", "\r\n", "\n  ", '\\"""', '"', "\\", "\n\n", "\\n"], 12)}"""`),
  ...Array.from({ length: 120 }, () => some(["0", "1", "9", "-", ".", "e", "E", "+", "5", "00", "1.0", "_", "a"], 5)),
];

const documents = [
  "{a}", "{ a b }", "{ a, b,, c }", "\ufeff{a}", "{\ufeffa\ufeff}", "{ }", "{a}}", "{{a}}", "{a", "a}", "", " ", "#", "# {a}", "{a} # {", "{a#}\n}", "{a#\r}", "\u00a0{a}", "\u200b{a}", "{a\u0000}", "{a}\u0000", "{a}\u001a", "{ é }", "{ a: b }", "{ a: b: c }", "{ a : b }", "{ a(x: 1) }", "{ a() }", "{ a(x: 1 y: 2) }", "{ a(x: 1, x: 2) }",
  "query{a}", "query {a}", "queryQ{a}", "query Q{a}", "query query {a}", "query on {a}", "query true {a}", "mutation{a}", "subscription{a}", "Query{a}", "QUERY {a}", "fragment", "query", "query Q", "query Q()", "query Q(){a}", "query Q($a: Int){a}", "query Q($a:Int $b:Int){a}", "query($a: Int){a}", "query Q($a: Int = 1){a}", "query Q($a: Int = 1 @d){a}", "query Q($a: Int @d = 1){a}", "query Q($a: Int = $b){a}", "query Q($a: Int @d(x: $b)){a}",
  "query Q($a: [Int]){a}", "query Q($a: [ Int ! ] !){a}", "query Q($a: [Int!,]!){a}", "query Q($a: [\n Int # c\n]){a}", "query Q($a: Int!!){a}", "query Q($a: [Int){a}", "query Q($a: []){a}", "query Q($a: [[Int!]!]!){a}", "query Q($ a: Int){a}", "query Q($a : Int){a}", "query Q($a Int){a}", "query Q($true: Int){a(x: $true)}", "query Q @d {a}", "query @d {a}", "@d {a}", "query Q($a: Int) @d(x: $a) {a}",
  "{ ...F }", "{ ... F }", "{ ...on }", "{ ...on T {a} }", "{ ...onT {a} }", "{ ...onT }", "{ ... on T {a} }", "{ ... on#\nT {a} }", "{ ... on T @d {a} }", "{ ... @d {a} }", "{ ... {a} }", "{ ... }", "{ ... on T }", "{ .. F }", "{ ...F @d }", "{ ...F {a} }", "{ ...true }", "{ ... on on {a} }", "{ on }", "{ on: on(on: on) }", "{ true null false }", "{ query mutation subscription fragment }",
  "{a} fragment F on T {a}", "fragment F on T {a} {a}", "{a} fragment on on T {a}", "{a} fragment F onT {a}", "{a} fragment F on on {a}", "{a} fragment F {a}", "{a} fragment F on T", "{a} fragment F on T @d {a}", "{a} fragment true on T {a}", "{a} fragment fragment on T {a}", "{a} fragment F($a: Int) on T {a}",
  "{ a @d }", "{ a @d() }", "{ a @d(x: 1) }", "{ a @ d }", "{ a @d @e }", "{ a @d {b} }", "{ a {b} @d }", "{ a(x: 1) @d {b} }", "{ a @d(x: 1) (y: 1) }", "{ a {} }", "{ a [b] }", "{ 1 }", '{ "a" }', "{ a . b }", "{ a-b }", "{ $a }", "{ a(x: $a) }", "{ a(x: $ a) }", "{ a(x: $1) }", "{ a(x: $) }", "{ a(x = 1) }", "{ a(1) }", '{ a("x": 1) }',
  'query Q($a: T = {b: 1, c: {b: 2}}){a}', "query Q($a: T = {b: 1, b: 2}){a}", "{ a @d(x: {b: 1, b: 2}) }", "{ a(x: {b: $c, b: $d}) }", '"""d""" query Q {a}', '"d" query Q {a}', '"d" {a}', '{a} "d" fragment F on T {a}', "{a};", "{a}\n---\n", "extend {a}", "<a>", "{a}{", "{a}/* c */", "{a} // c",
];

console.log(`{"version":"graphql ${version}",`);
const lines = (items) => items.map((item) => JSON.stringify(item).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)).join(",\n");
console.log(`"values":[\n${lines([...new Set([...quoted, ...blocks, ...numbers, ...others, ...mixed])].map(judged))}\n],`);
console.log(`"documents":[\n${lines([...new Set(documents)].map(verdict))}\n]}`);
