//! Reads every byte of the disks of a new pool, because a look reads only samples, and data that it missed would be
//! lost.

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::Poll;

use heeler_host::disk::{NotBlank, Reading};
use heeler_host::{System, lsblk, udev};
use heeler_proto::CreatePool;

use super::carry_out::Stop;
use super::class::in_full;
use super::{Blocked, Event, Key, Op, Record};

/// The assumed reading rate in bytes per second, until it is measured.
const USUAL_RATE: u64 = 400_000_000;

/// The steps in which progress is reported, in percent.
const PROGRESS_PERCENT: u8 = 2;

/// Reads every byte of the disks of a new pool in parallel, except those that an operator wants unread, and continues
/// an earlier reading in this boot. Also checks that `op`, which creates the pool, is given exactly these disks.
pub(super) async fn prove_blank(
    host: &dyn System,
    record: &mut dyn Record,
    step: &str,
    (create, op): (&CreatePool, &Op),
) -> Result<(), Stop> {
    let mut readings = begin(host, create, op).await?;
    if !readings.iter().all(Reading::is_whole) {
        let serials: Vec<&str> = readings.iter().map(|reading| reading.serial.as_str()).collect();
        let (serials, all) = (serials.join(", "), size(&readings));
        let largest = readings.iter().map(|reading| reading.size_bytes).max().unwrap_or(0);
        let about = lasts(largest / USUAL_RATE);
        let what = Event::OpStarted {
            step: step.to_owned(),
            summary: format!("read every byte of {serials}: {all} GB, about {about}"),
            irreversible: false,
            reboot: false,
        };
        record.emit(what).await?;
        let read = read(host, record, step, &serials, &mut readings).await;
        let (summary, error) = match &read {
            Ok(()) => (format!("proven blank, every byte read: {serials}"), None),
            Err(stop) => (format!("read every byte of {serials}"), Some(stop.reason())),
        };
        let finished = Event::OpFinished {
            step: step.to_owned(),
            summary,
            error,
        };
        record.emit(finished).await?;
        read?;
    }
    for reading in &readings {
        reading
            .still(host)
            .await
            .map_err(|why| stopped(&reading.serial, &why))?;
    }
    Ok(())
}

async fn begin(host: &dyn System, create: &CreatePool, op: &Op) -> Result<Vec<Reading>, Stop> {
    let failed = |error: &dyn std::error::Error| Stop::Failed(in_full(error));
    let devices = lsblk::devices(host).await.map_err(|error| failed(&error))?;
    let mut legs: Vec<PathBuf> = Vec::new();
    if let Op::Run(command) = op {
        for leg in command.args.iter().filter(|arg| arg.starts_with(udev::BY_ID)) {
            legs.push(host.resolve(Path::new(leg)).await.map_err(|error| failed(&error))?);
        }
    }
    let mut readings = Vec::new();
    for disk in &create.disks {
        let serial = disk.serial.as_str();
        let of_it = |leg: &PathBuf| {
            let mut same = devices.iter().filter(|device| device.serial == serial);
            same.any(|device| Path::new(&device.path) == leg)
        };
        let Some(leg) = legs.iter().position(of_it).map(|at| legs.swap_remove(at)) else {
            return Err(Stop::Failed(format!(
                "{serial} is not among the disks that zpool would be given"
            )));
        };
        if !create.unread.contains(&disk.serial) {
            let reading = Reading::resume(host, serial, &leg, disk.size_bytes).await;
            readings.push(reading.map_err(|why| stopped(serial, &why))?);
        }
    }
    match legs.first() {
        None => Ok(readings),
        Some(leg) => Err(Stop::Failed(format!(
            "zpool would be given {} too, and nobody consented to that",
            leg.display()
        ))),
    }
}

async fn read(
    host: &dyn System,
    record: &mut dyn Record,
    step: &str,
    serials: &str,
    readings: &mut [Reading],
) -> Result<(), Stop> {
    let done = |readings: &[Reading]| -> u64 { readings.iter().map(|reading| reading.read_bytes).sum() };
    let (all, before, begun_ms) = (size(readings), done(readings), host.now_ms());
    let whole: u64 = readings.iter().map(|reading| reading.size_bytes).sum();
    let mut told: Option<u8> = None;
    while !readings.iter().all(Reading::is_whole) {
        at_once(host, readings).await?;
        let done = done(readings);
        let percent = (u128::from(done) * 100 / u128::from(whole.max(1))) as u8;
        if told.is_none_or(|told| percent >= told + PROGRESS_PERCENT) {
            told = Some(percent);
            let ms = host.now_ms().saturating_sub(begun_ms).max(1);
            let rate = ((done - before) / ms).max(1);
            let (speed, left) = (rate / 1000, lasts((whole - done) / rate / 1000));
            let progress = Event::Progress {
                step: step.to_owned(),
                text: format!("reading {serials}: {percent}% of {all} GB, {speed} MB/s, {left} left"),
                percent: Some(percent),
            };
            record.emit(progress).await?;
        }
    }
    Ok(())
}

/// Reads the next piece of each disk, in parallel.
async fn at_once(host: &dyn System, readings: &mut [Reading]) -> Result<(), Stop> {
    type Piece<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'a>>;
    let open = readings.iter_mut().filter(|reading| !reading.is_whole());
    let mut pieces: Vec<Piece<'_>> = open
        .map(|reading| -> Piece<'_> {
            Box::pin(async move {
                let read = reading.go_on(host).await;
                read.map_err(|why| stopped(&reading.serial, &why))
            })
        })
        .collect();
    let mut result = Ok(());
    poll_fn(|context| {
        pieces.retain_mut(|piece| match piece.as_mut().poll(context) {
            Poll::Ready(read) => {
                if result.is_ok() {
                    result = read;
                }
                false
            }
            Poll::Pending => true,
        });
        match pieces.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    result
}

fn stopped(serial: &str, why: &NotBlank) -> Stop {
    let (because, next) = match why {
        NotBlank::Data { .. } => (
            "a pool is made only on disks of which every byte is zero, and every byte was read",
            format!("if nothing on it is needed: heeler disk erase {serial}; else name other disks in heeler.toml"),
        ),
        NotBlank::Changed => (
            "whatever writes to the disk may need it",
            "see on the node what uses it: lsblk, dmesg; then: heeler apply".to_owned(),
        ),
        NotBlank::Unreadable(_) => (
            "what cannot be read is not proven blank",
            "see on the node: dmesg; or name other disks in heeler.toml: heeler disk list".to_owned(),
        ),
        NotBlank::NotSaved(_) => (
            "the node must be able to write before it makes a pool",
            "see on the node: df /var/lib, dmesg; then: heeler apply".to_owned(),
        ),
    };
    Stop::Blocked(Blocked::new(format!("{serial}: {why}"), because, next).at(Key::Disks, serial))
}

/// In gigabytes (10^9), as on a drive's label.
fn size(readings: &[Reading]) -> u64 {
    readings.iter().map(|reading| reading.size_bytes).sum::<u64>() / 1_000_000_000
}

fn lasts(seconds: u64) -> String {
    match seconds {
        0..60 => "1 min".to_owned(),
        60..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}
