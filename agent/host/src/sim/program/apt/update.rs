use super::{list, sources};
use crate::Output;
use crate::apt::Source;
use crate::sim::power::Gone;
use crate::sim::repository::{Repository, Server};
use crate::sim::state::State;

/// `apt-get update`. A source that fails keeps the lists that it had.
pub(super) fn run(state: &mut State) -> Result<Output, Gone> {
    let sources = sources(state);
    if let Some((one, other)) = two_keys(&sources) {
        let (uri, suite) = (&one.uris[0], &one.suites[0]);
        let text = format!(
            "E: Conflicting values set for option Signed-By regarding source {uri}/ {suite}: {} != {}\n\
             E: The list of sources could not be read.\n",
            one.signed_by, other.signed_by
        );
        return Ok(ended(100, &text));
    }
    let (mut code, mut said) = (0, String::new());
    for source in &sources {
        for uri in &source.uris {
            for suite in &source.suites {
                if let Err(text) = fetch(state, source, uri, suite)? {
                    if text.contains("E: ") {
                        code = 100;
                    }
                    said += &text;
                }
            }
        }
    }
    Ok(ended(code, &said))
}

fn ended(code: i32, stderr: &str) -> Output {
    Output {
        code,
        stdout: "Reading package lists...\n".to_owned(),
        stderr: stderr.to_owned(),
    }
}

fn two_keys(sources: &[Source]) -> Option<(&Source, &Source)> {
    sources.iter().enumerate().find_map(|(at, one)| {
        let same = |other: &&Source| {
            let shares = |a: &[String], b: &[String]| a.iter().any(|one| b.contains(one));
            shares(&one.uris, &other.uris) && shares(&one.suites, &other.suites) && one.signed_by != other.signed_by
        };
        Some((one, sources[at + 1..].iter().find(same)?))
    })
}

fn fetch(state: &mut State, source: &Source, uri: &str, suite: &str) -> Result<Result<(), String>, Gone> {
    let repository = state
        .board
        .repositories
        .iter()
        .find(|one| one.uri == uri && one.suite == suite);
    let trusted = state.os.files.text(&source.signed_by).unwrap_or_default();
    let found = match answer(repository, &trusted, uri, suite) {
        Ok(found) => found.clone(),
        Err(text) => return Ok(Err(text)),
    };
    state.power.point()?;
    let mut said = String::new();
    for component in &source.components {
        if *component == found.component {
            let packages = found.packages.iter();
            let lines: String = packages
                .map(|(name, version, source)| format!("{name} {version} {source}\n"))
                .collect();
            state.os.files.put(list(uri, suite, component), lines);
            state.power.point()?;
        } else {
            said += &format!(
                "W: Skipping acquire of configured file '{component}/binary-arm64/Packages' as repository '{uri} {suite} InRelease' \
                 doesn't have the component '{component}' (component misspelt in sources.list?)\n"
            );
        }
    }
    Ok(if said.is_empty() { Ok(()) } else { Err(said) })
}

/// The repository, or what apt says about it.
fn answer<'a>(found: Option<&'a Repository>, trusted: &str, uri: &str, suite: &str) -> Result<&'a Repository, String> {
    let release = format!("{uri} {suite} InRelease");
    let unsigned = |why: &str| {
        format!(
            "W: OpenPGP signature verification failed: {release}: Sub-process /usr/bin/sqv returned an error code (1), error message is: {why}\n\
             E: The repository '{release}' is not signed.\n"
        )
    };
    let ignored = "E: Some index files failed to download. They have been ignored, or old ones used instead.\n";
    let Some(found) = found else {
        return Err(format!(
            "E: The repository '{uri} {suite} Release' does not have a Release file.\n"
        ));
    };
    match found.server {
        Server::Silent => Err(format!(
            "E: Failed to fetch {uri}/dists/{suite}/InRelease  Could not connect to 127.0.0.1:1 (127.0.0.1). - connect (111: Connection refused)\n{ignored}"
        )),
        Server::Changed => Err(unsigned("Verifying signature:            Message has been manipulated")),
        _ if found.key != trusted => Err(unsigned(
            "Missing key EC9C7CCA274317F24B52595ECB4C64BD52B9AE73, which is needed to verify signature.",
        )),
        Server::Old => Err(format!(
            "E: Release file for {uri}/dists/{suite}/InRelease is expired (invalid since 1795d 2h 50min 49s). Updates for this repository will not be applied.\n"
        )),
        Server::Truncated => Err(format!(
            "E: Failed to fetch {uri}/dists/{suite}/{0}/binary-arm64/Packages  File has unexpected size (2546 != 2538). Mirror sync in progress? [IP: 127.0.0.1 80]\n\
             \u{20}  Hashes of expected file:\n    - Filesize:2538 [weak]\n   Release file created at: Tue, 01 Dec 2026 02:42:53 +0000\n{ignored}",
            found.component
        )),
        Server::Serves => Ok(found),
    }
}
