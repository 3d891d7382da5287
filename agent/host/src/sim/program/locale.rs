use std::path::Path;

use super::printed;
use crate::Output;
use crate::sim::power::Gone;
use crate::sim::state::State;

/// Here the archive is a text: the name of a generated locale on each line.
const ARCHIVE: &str = "/usr/lib/locale/locale-archive";

/// The programs for locales.
pub(super) fn run(state: &mut State, program: &str, args: &[&str]) -> Result<Option<Output>, Gone> {
    Ok(match (program, args) {
        ("locale", ["-a"]) => Some(printed(all(state).join("\n") + "\n")),
        ("locale-gen", ["--keep-existing"]) => Some(generate(state)?),
        _ => None,
    })
}

fn all(state: &State) -> Vec<String> {
    let archive = state.os.files.text(ARCHIVE).unwrap_or_default();
    let built_in = ["C", "C.utf8", "POSIX"].into_iter();
    let mut all: Vec<String> = built_in.chain(archive.lines()).map(str::to_owned).collect();
    all.sort_unstable();
    all
}

/// Messages and exit code are those of Debian's locale-gen and of glibc's localedef, which it calls.
fn generate(state: &mut State) -> Result<Output, Gone> {
    let list = state.os.files.text("/etc/locale.gen").unwrap_or_default();
    if list.is_empty() {
        return Ok(printed(""));
    }
    let mut output = printed("Generating locales (this might take a while)...\n");
    for line in list.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let (name, charset) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let generated = name.replacen(".UTF-8", ".utf8", 1);
        if name.is_empty() || all(state).contains(&generated) {
            continue;
        }
        if charset.is_empty() {
            output.stdout += &format!("error: Bad entry '{name} '\n");
            continue;
        }
        let source = name.replacen(".UTF-8", "", 1);
        let (base, at) = source
            .split_once('@')
            .map_or((source.as_str(), String::new()), |(base, modifier)| {
                (base, format!("@{modifier}"))
            });
        output.stdout += &format!("  {base}.{}{at}...", charset.trim());
        if state.os.files.has(&Path::new("/usr/share/i18n/locales").join(&source)) {
            state.power.point()?;
            let archive = state.os.files.text(ARCHIVE).unwrap_or_default();
            state.os.files.put(ARCHIVE, format!("{archive}{generated}\n"));
            state.power.point()?;
        } else {
            output.stderr +=
                &format!("[error] cannot open locale definition file `{source}': No such file or directory\n");
        }
        output.stdout += " done\n";
    }
    output.stdout += "Generation complete.\n";
    Ok(output)
}
