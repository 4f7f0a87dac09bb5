import Testing

@testable import HaulCLI

/// Numbers, also those that nobody counted.
@Suite struct HumanTests {
    @Test(arguments: [
        (0.0, "0 B"), (-5, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5e9, "4.7 GiB"), (1e23, "86736 EiB"),
        (1e300, "?"),
        (.infinity, "0 B"), (.nan, "0 B"),
    ])
    func sizes(_ bytes: Double, _ text: String) { #expect(Human.size(bytes) == text) }

    @Test(arguments: [(0.0, "0 s"), (61, "1:01 min"), (1e6, "11 d"), (1e300, "?"), (-1e300, "?"), (.nan, "?")])
    func times(_ seconds: Double, _ text: String) { #expect(Human.time(seconds) == text) }
}
