//! Logging. Log lines contain ids, but never personal data, tokens or documents.

use std::{
    any::Any,
    fmt::Write as _,
    fs::File,
    io::{self, Write},
    os::fd::AsFd as _,
    panic::PanicHookInfo,
    sync::{LazyLock, PoisonError, RwLock},
};

use clap::ValueEnum;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    Layer,
    filter::{Targets, filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Logs the events that `targets` enables to standard error; standard output is for the results of commands.
pub fn start(targets: Targets, format: LogFormat) {
    let errors = Lines(StandardError::open);
    let lines = match format {
        LogFormat::Text => fmt::layer().with_ansi(false).with_writer(errors).boxed(),
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(errors).boxed(),
    };
    let asked = targets.clone();
    // Global filters instead of per-layer ones, which lose lines after a library has checked a level without logging.
    let wanted = filter_fn(move |metadata| is_harmless(metadata) && is_worth_it(metadata, &asked));
    tracing_subscriber::registry().with(lines).with(targets).with(wanted).init();
    std::panic::set_hook(Box::new(panicked));
}

/// Whether an event is safe to log. Below `info`, libraries log the data they process: statements with their values,
/// headers, frames. This filter excludes such events whatever the user's filter says.
fn is_harmless(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let is_ours = target == "rapport" || target.starts_with("rapport::");
    is_ours || *metadata.level() <= Level::INFO
}

/// Whether an event is relevant at the chosen level. Library events at `info`, such as each migration step and each
/// thread started, are logged only if the user enables `debug` for their target.
fn is_worth_it(metadata: &Metadata<'_>, asked: &Targets) -> bool {
    let target = metadata.target();
    let is_ours = target == "rapport" || target.starts_with("rapport::");
    // Notices of PostgreSQL on statements: a connection pooler may drop the setting that silences them.
    if target.ends_with("::postgres::notice") {
        return false;
    }
    is_ours || *metadata.level() < Level::INFO || asked.would_enable(target, &Level::DEBUG)
}

/// Logs the location of a panic, and its message only if it is a static string: others may contain input data.
fn panicked(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(tracing::field::display);
    tracing::error!(place, says = fixed(panic.payload()), "a thread panicked");
}

fn fixed(payload: &dyn Any) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("a message that depends on input")
}

/// Standard error, without a lock for writes that the system performs atomically anyway: with the lock, each logging
/// thread waits for another one to finish writing.
struct StandardError(Option<&'static File>);

/// Maximum number of bytes that a pipe writes atomically.
const WHOLE: usize = 4_096;
/// Held exclusively while a longer text is written.
static LONG: RwLock<()> = RwLock::new(());

impl StandardError {
    fn open() -> Self {
        static OPEN: LazyLock<Option<File>> =
            LazyLock::new(|| io::stderr().as_fd().try_clone_to_owned().ok().map(File::from));
        Self(OPEN.as_ref())
    }
}

impl Write for StandardError {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.0 {
            Some(mut file) if bytes.len() <= WHOLE => {
                let _beside = LONG.read().unwrap_or_else(PoisonError::into_inner);
                file.write_all(bytes)
            }
            _ => {
                let _alone = LONG.write().unwrap_or_else(PoisonError::into_inner);
                io::stderr().write_all(bytes)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Escapes control characters in events: a value can neither start a new line nor control a terminal.
struct Lines<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Lines<W> {
    type Writer = Line<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(self.0.make_writer())
    }
}

/// The writer of one event, which arrives in a single call of `write`.
struct Line<W>(W);

impl<W: Write> Write for Line<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if let Some((b'\n', line)) = event.split_last()
            && line.iter().all(|byte| matches!(byte, b' '..=b'~'))
        {
            return self.0.write_all(event).map(|()| event.len());
        }
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let mut escaped = String::with_capacity(text.len());
        for character in line.chars() {
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                // The escape sequence of JSON, so that a JSON line stays valid.
                write!(escaped, "\\u{:04x}", u32::from(character)).expect("writing to a string succeeds");
            } else {
                escaped.push(character);
            }
        }
        escaped.push('\n');
        self.0.write_all(escaped.as_bytes()).map(|()| event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let writer = Lines(move || writer.clone());
        let lines = match format {
            LogFormat::Text => fmt::layer().with_ansi(false).with_writer(writer).boxed(),
            LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
        };
        let subscriber = tracing_subscriber::registry().with(lines).with(filter_fn(is_harmless));
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn no_value_begins_a_line_or_drives_a_terminal() {
        let forged = "x\r\n2026-01-01T00:00:00Z  INFO rapport: forged \u{1b}[2J \u{7f} \u{85} \u{9b}2J \u{2028} \t";
        let write = || {
            tracing::warn!(shown = %forged, quoted = forged, debugged = ?forged, "{forged}");
            tracing::warn!("the next");
        };
        let text = logged(LogFormat::Text, write);
        assert_eq!(text.matches('\n').count(), 2, "{text}");
        assert_eq!(text.chars().filter(|character| character.is_control()).count(), 2, "{text}");
        assert!(!text.contains('\u{2028}') && text.contains("forged"));

        let json = logged(LogFormat::Json, write);
        assert_eq!(json.chars().filter(|character| character.is_control()).count(), 2, "{json}");
        let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["shown"], forged);
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn what_libraries_say_below_info_is_never_written() {
        let text = logged(LogFormat::Text, || {
            tracing::trace!(target: "sqlx::query", "statement");
            tracing::debug!(target: "rapporteur", "other");
            tracing::info!(target: "actix_server::builder", "starting");
            tracing::trace!(target: "rapport::demo", "ours");
        });
        let said: Vec<&str> = text.lines().filter_map(|line| line.rsplit(' ').next()).collect();
        assert_eq!(said, ["starting", "ours"]);
    }

    #[test]
    fn a_panic_says_only_what_the_program_says_by_itself() {
        let said = |work: fn()| fixed(&*std::panic::catch_unwind(work).unwrap_err()).to_owned();
        assert_eq!(said(|| panic!("a row has an id")), "a row has an id");
        let input = |name: &str| format!("{name}@example.com");
        let quoted = std::panic::catch_unwind(|| panic!("{}", input("mia"))).unwrap_err();
        assert!(!fixed(&*quoted).contains("mia"));
    }
}
