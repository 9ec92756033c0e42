//! What is read from the command line, and how a result leaves the program.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use gatewatch_drift::Severity;
use gatewatch_report as report;
use gatewatch_source::BaselineSpec;

use crate::commands::check::{CheckOptions, check};
use crate::commands::explain::{Place, explain};
use crate::commands::routes::routes;
use crate::failure::Failure;
use crate::load::BaselineChoice;

/// Keeps a project's threat model true while its code changes.
///
/// It reads a workspace, models every entry point with the controls in front of it, compares that with a
/// baseline, and speaks only when a change moves a control. It runs nothing of the workspace and needs
/// no network.
#[derive(Parser, Debug)]
#[command(name = "gatewatch", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Runs the language server on stdin and stdout.
    Lsp {
        /// Taken and ignored: editors like to say it, and there is no other way.
        #[arg(long)]
        stdio: bool,
    },
    /// Says what a change did to the controls of a tree.
    ///
    /// Without --base or --base-dir the tree is compared with the revision that gatewatch.toml names,
    /// else with the merge base of HEAD and the default branch. The working tree is read as it is,
    /// staged or not.
    ///
    /// Exit status: 0 if there is no finding at or above --fail-on, 1 if there is one, 2 if the run failed.
    Check(CheckArgs),
    /// Lists every entry point with its controls.
    Routes(RoutesArgs),
    /// Explains the trust boundary at a place: who can call it, what must hold first, what changed.
    Explain(ExplainArgs),
    /// Writes a completion script for a shell.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Writes the manual page.
    #[command(hide = true)]
    Man,
}

#[derive(Args, Debug)]
struct BaseArgs {
    /// Compare with this git revision.
    #[arg(long, value_name = "REV", conflicts_with = "base_dir")]
    base: Option<String>,
    /// Compare with another folder.
    #[arg(long, value_name = "DIR")]
    base_dir: Option<PathBuf>,
}

impl BaseArgs {
    fn choice(self) -> BaselineChoice {
        match (self.base, self.base_dir) {
            (Some(rev), _) => BaselineChoice::Given(BaselineSpec::Rev(rev)),
            (None, Some(dir)) => BaselineChoice::Given(BaselineSpec::Dir(dir)),
            (None, None) => BaselineChoice::Default,
        }
    }
}

#[derive(Args, Debug)]
struct CheckArgs {
    /// The folder to check.
    #[arg(default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    base: BaseArgs,
    /// How to write the findings.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The least severity that makes the exit status 1.
    #[arg(long, value_enum, default_value_t = Level::Warning, value_name = "SEVERITY")]
    fail_on: Level,
    /// When to colour the text.
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

#[derive(Args, Debug)]
struct RoutesArgs {
    /// The folder to read.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// How to write them.
    #[arg(long, value_enum, default_value_t = RoutesFormat::Text)]
    format: RoutesFormat,
}

#[derive(Args, Debug)]
struct ExplainArgs {
    /// The place, as FILE:LINE or FILE:LINE:COLUMN.
    place: Place,
    /// The workspace, if it is not the nearest folder above with a gatewatch.toml or a repository.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    base: BaseArgs,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// The comment of a pull request.
    Markdown,
    /// Annotations of a GitHub workflow.
    Github,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum RoutesFormat {
    /// A table.
    Text,
    /// For programs.
    Json,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Level {
    /// Anything.
    Info,
    /// Warnings and errors.
    Warning,
    /// Errors only.
    Error,
}

impl Level {
    fn severity(self) -> Severity {
        match self {
            Self::Info => Severity::Info,
            Self::Warning => Severity::Warning,
            Self::Error => Severity::Error,
        }
    }
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colour {
    fn on(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                !set("NO_COLOR") && !dumb && io::stdout().is_terminal()
            }
        }
    }
}

/// The whole program: reads its arguments, runs the command, writes the result.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results, and go to stdout.
            let status = if error.use_stderr() { 2 } else { 0 };
            return match error.print() {
                Ok(()) => ExitCode::from(status),
                Err(_) => ExitCode::from(2),
            };
        }
    };
    log();
    if let Command::Lsp { .. } = cli.command {
        return gatewatch_lsp::run();
    }
    match run(cli.command) {
        Ok((result, status)) => match write(&result) {
            Ok(()) => ExitCode::from(status),
            Err(error) => {
                complain(&format!("the result can't be written: {error}"));
                ExitCode::from(2)
            }
        },
        Err(failure) => {
            complain(&failure.to_string());
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<(Vec<u8>, u8), Failure> {
    match command {
        // The server writes its own output.
        Command::Lsp { .. } => Ok((Vec::new(), 0)),
        Command::Check(args) => run_check(args),
        Command::Routes(args) => {
            let routes = routes(&args.dir)?;
            let result = match args.format {
                RoutesFormat::Text => report::routes_text(&routes),
                RoutesFormat::Json => report::routes_json(&routes)?,
            };
            Ok((result.into_bytes(), 0))
        }
        Command::Explain(args) => {
            let found = explain(&args.place, args.dir.as_deref(), &args.base.choice())?;
            let explanation = found.ok_or_else(|| {
                Failure::Asked("there is no entry point, handler or guard at this place".into())
            })?;
            Ok((explanation.plain.into_bytes(), 0))
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "gatewatch", &mut script);
            Ok((script, 0))
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(|error| Failure::Asked(error.to_string()))?;
            Ok((page, 0))
        }
    }
}

fn run_check(args: CheckArgs) -> Result<(Vec<u8>, u8), Failure> {
    let options = CheckOptions {
        baseline: args.base.choice(),
    };
    let found = check(&args.dir, &options)?;
    if let Some(note) = &found.note {
        complain(&format!("note: {note}"));
    }
    let result = match args.format {
        Format::Text => report::text(&found, args.color.on()),
        Format::Json => report::json(&found)?,
        Format::Sarif => report::sarif(&found)?,
        Format::Markdown => report::markdown(&found),
        Format::Github => report::github(&found),
    };
    let least = args.fail_on.severity();
    let failed = found.findings.iter().any(|one| one.severity >= least);
    Ok((result.into_bytes(), u8::from(failed)))
}

/// Writes a result. A reader who has seen enough and closed the pipe is no failure.
fn write(result: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(result).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Says something on stderr, which may be closed.
fn complain(what: &str) {
    let _ = writeln!(io::stderr(), "gatewatch: {}", report::visible(what));
}

/// Logs go to stderr, as `GATEWATCH_LOG` asks for them; a filter that can't be read is taken for none.
fn log() {
    let filter = std::env::var("GATEWATCH_LOG").unwrap_or_else(|_| "warn".to_owned());
    let filter = tracing_subscriber::EnvFilter::try_new(&filter)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init();
}
