//! Reads any text as a document on a worker's stack: scans, parses, checks the size, merges and computes the cost.

#![no_main]

use std::{
    sync::{
        LazyLock, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use async_graphql::Variables;
use libfuzzer_sys::fuzz_target;
use rapport::graphql::{documents::{document::Document, limits::Limits}, types::schema_index::SchemaIndex};

/// Stack size of a server's worker thread in bytes: tokio's default.
const STACK: usize = 2 << 20;

type Worker = (Sender<String>, Receiver<()>);

static WORKER: LazyLock<Mutex<Worker>> = LazyLock::new(|| {
    let (texts, given) = channel::<String>();
    let (done, finished) = channel();
    let work = move || {
        let schema_index = SchemaIndex::read(&rapport::schema::build().sdl()).expect("a schema can be read from its own SDL");
        let limits = Limits::DEFAULT;
        for text in given {
            let prepared = Document::read(&text, None, &limits).and_then(|document| {
                let _ = (document.kind(), document.is_public());
                document.prepare(Variables::default(), &schema_index, &limits)
            });
            drop(prepared);
            if done.send(()).is_err() {
                break;
            }
        }
    };
    thread::Builder::new().stack_size(STACK).spawn(work).expect("there is room for a thread");
    Mutex::new((texts, finished))
});

fuzz_target!(|text: &str| {
    let worker = WORKER.lock().expect("nothing panics while it is held");
    worker.0.send(text.to_owned()).expect("the worker is alive");
    worker.1.recv().expect("the worker did not panic");
});
