import Testing

@testable import Pipeline

@Suite("Measuring sparingly")
struct SparingMeasurementTests {
    @Test("What takes long to measure is left alone for nineteen times as long", arguments: [1, 40, 7000])
    func rest(milliseconds: Int) {
        var measurement = SparingMeasurement()
        let start = ContinuousClock.now
        #expect(measurement.isDue(at: start))
        let end = start + .milliseconds(milliseconds)
        measurement.took(from: start, to: end)
        let due = end + .milliseconds(19 * milliseconds)
        #expect(!measurement.isDue(at: end) && !measurement.isDue(at: due - .microseconds(1)))
        #expect(measurement.isDue(at: due))
    }
}
