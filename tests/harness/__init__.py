"""What measures, attacks and breaks the product: benches, fuzzers, fault runs, soak, fleet, simulator."""
