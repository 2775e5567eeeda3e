use jackfield_engines::LoadMeter;
use jackfield_testkit::realtime;
use std::time::Duration;

fn us(n: u64) -> Duration {
    Duration::from_micros(n)
}

#[test]
fn the_load_is_the_part_of_a_blocks_time_that_it_took() {
    let meter = LoadMeter::new();
    let probe = meter.probe();
    realtime(|| {
        probe.record(us(500), us(1000));
        probe.record(us(1500), us(1000));
        probe.record(us(100), us(1000));
        probe.late(3);
    });
    let load = meter.read();
    assert_eq!((load.blocks, load.overruns, load.late), (3, 1, 3));
    assert!((load.last - 10.0).abs() < 1e-3, "{load:?}");
    assert!((load.peak - 150.0).abs() < 1e-3, "{load:?}");
    assert!((50.0..52.0).contains(&load.average), "{load:?}");
    meter.reset_peak();
    assert!(meter.read().peak == 0.0);
}

#[test]
fn a_block_without_length_is_no_load() {
    let meter = LoadMeter::new();
    meter.probe().record(us(5), Duration::ZERO);
    assert_eq!((meter.read().overruns, meter.read().last.to_bits()), (0, 0));
}
