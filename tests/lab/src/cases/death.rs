//! A machine that dies sends nothing: how soon the coordinator reports it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Case, Cost, R, Run};
use crate::fleet::Fleet;

pub(super) const CASES: &[Case] = &[Case {
    on: R,
    name: "holds-death: a node whose power is cut is amber within 15 s",
    cost: Cost::Quiet(250),
    run: Run::Fleet(death),
}];

const SOON: Duration = Duration::from_secs(15);
const LONG: Duration = Duration::from_secs(60);

fn death(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(R)?;
    let node = fleet.lab().node(R)?;
    let tells = |fleet: &Fleet<'_>| -> Result<bool> {
        let status = fleet.json(&["status"], &[0])?;
        let alerts = status["alerts"].as_array().context("the status has no alerts")?;
        let offline = |text: &str| text.starts_with("offline");
        Ok(alerts
            .iter()
            .any(|alert| alert["node"] == R && alert["text"].as_str().is_some_and(offline)))
    };
    ensure!(!tells(fleet)?, "the node is offline before its power was cut");
    node.cut()?;
    let began = Instant::now();
    while !tells(fleet)? && began.elapsed() < LONG {
        thread::sleep(Duration::from_millis(200));
    }
    let took = began.elapsed();
    node.start()?;
    node.wait_ready()?;
    fleet.wait_connected(R)?;
    println!("    {R}: amber after {:.1} s", took.as_secs_f32());
    ensure!(took <= SOON, "it was told after {} s", took.as_secs());
    Ok(())
}
