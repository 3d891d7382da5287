use super::*;

/// A linear congruential generator: needs no library, and each failure can be repeated with its seed.
struct Choice(u64);

impl Choice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[tokio::test]
async fn foreign_held_and_cloned_snapshots_are_never_pruned() {
    for seed in 0..20 {
        let mut choice = Choice(seed);
        let mut bench = Bench::keeping(Keep::new([0, 2, 1, 0, 0, 0], 0).unwrap()).await;
        let mut must_stay: Vec<(String, u64)> = Vec::new();
        let mut clones = 0;
        for step in 0..40 {
            bench.live(HOUR).await;
            let dataset = if choice.below(2) == 0 { FILES } else { MORE };
            let there = bench.snapshots(dataset).await;
            let some = &there[usize::try_from(choice.below(there.len() as u64)).unwrap()];
            let full = format!("{dataset}@{}", some.name);
            match choice.below(6) {
                0 => {
                    // It may have one of Heeler's names, and inherit Heeler's property from its dataset or pool.
                    let name = format!("{dataset}@heeler_20200101T0000{step:02}Z_hourly");
                    bench.type_zfs(&[
                        "set",
                        "heeler:class=hourly",
                        if choice.below(2) == 0 { dataset } else { "data" },
                    ]);
                    bench.type_zfs(&["snapshot", &name]);
                    must_stay.push((name, 0));
                }
                1 => {
                    let name = format!("{dataset}@by-hand-{step}");
                    bench.type_zfs(&["snapshot", "-o", "other:owner=me", &name]);
                    must_stay.push((name, 0));
                }
                2 => {
                    bench.type_zfs(&["hold", &format!("tag{step}"), &full]);
                    must_stay.push((full, some.guid));
                }
                3 => {
                    clones += 1;
                    bench.type_zfs(&["clone", "-o", "mountpoint=none", &full, &format!("data/clone{clones}")]);
                    must_stay.push((full, some.guid));
                }
                4 => bench.restart().await,
                _ => {}
            }
        }
        let mut there = Vec::new();
        for dataset in [FILES, MORE] {
            let all = bench.snapshots(dataset).await;
            there.extend(all.into_iter().map(|one| (format!("{dataset}@{}", one.name), one.guid)));
        }
        for (name, guid) in must_stay {
            let stays = there
                .iter()
                .any(|(other, found)| *other == name && (guid == 0 || guid == *found));
            assert!(stays, "seed {seed}: {name} is gone");
        }
    }
}
