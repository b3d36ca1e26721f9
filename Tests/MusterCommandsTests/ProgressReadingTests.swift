import DumpCore
import Reporting
import Testing

@testable import MusterCommands

@Suite("A line of progress")
struct ProgressReadingTests {
    private let start = ContinuousClock.now

    @Test("Speed and time left follow the last quarter of a minute")
    func pace() {
        var pace = Pace()
        // A minute at 1,000 bytes a second, then a minute at 3,000.
        for second in 0...60 { pace.note(Int64(second) * 1000, at: start + .seconds(second)) }
        #expect(pace.bytesPerSecond == 1000)
        for second in 1...60 { pace.note(60_000 + Int64(second) * 3000, at: start + .seconds(60 + second)) }
        #expect(pace.bytesPerSecond == 3000)
        #expect(pace.secondsLeft(of: UnitProgress(bytes: 240_000, expectedBytes: 300_000)) == 20)
        #expect(pace.secondsLeft(of: UnitProgress(bytes: 240_000, expectedBytes: 0)) == nil)
        #expect(pace.secondsLeft(of: UnitProgress(bytes: 240_000, expectedBytes: 240_000)) == nil)
    }

    @Test("There is no speed at first, none left when nothing moves, and a new one after a count that begins anew")
    func paceAtFirst() {
        var pace = Pace()
        pace.note(0, at: start)
        pace.note(5000, at: start + .seconds(1))
        #expect(pace.bytesPerSecond == nil)
        for second in 2...60 { pace.note(5000, at: start + .seconds(second)) }
        #expect(pace.bytesPerSecond == 0)
        #expect(pace.secondsLeft(of: UnitProgress(bytes: 5000, expectedBytes: 9000)) == nil)
        pace.note(10, at: start + .seconds(61))
        #expect(pace.bytesPerSecond == nil)
    }

    @Test("What does not fit a terminal is left out, the least telling first, and no line is wider than its terminal")
    func widths() {
        let reading = reading("app", "shop", 512 << 20, of: 1 << 30, "public.orders")
        let label = reading.line.label.columns
        #expect(
            reading.text(width: 120, labelWidth: label)
                == "app shop  [##########----------]  512 MiB of ~1.00 GiB  1.00 MiB/s  8m32s left  public.orders")
        #expect(
            reading.text(width: 70, labelWidth: label)
                == "app shop  [##########----------]  512 MiB of ~1.00 GiB  8m32s left")
        #expect(reading.text(width: 60, labelWidth: label) == "app shop  [##########----------]  512 MiB of ~1.00 GiB")
        #expect(reading.text(width: 35, labelWidth: label) == "app shop  512 MiB of ~1.00 GiB")
        #expect(reading.text(width: 5, labelWidth: label) == "app …")
    }

    @Test("Wide characters count twice, and what a terminal would obey is escaped")
    func names() {
        #expect("größe 数据库".columns == 12)
        #expect(reading("app", "数据库数据库", 1, of: 0).text(width: 14, labelWidth: 30) == "app 数据库… ")
        let evil = reading("app", "a\u{1B}[2Jb\nc\u{202E}d", 1, of: 0).text(width: 60, labelWidth: 13)
        #expect(evil == #"app a\033[2J…  [                    ]  1 B  1.00 MiB/s"#)
    }

    @Test("A dump that outgrows its estimate does not outgrow its bar")
    func outgrown() {
        #expect(
            reading("app", nil, 20, of: 10).text(width: 60, labelWidth: 3)
                == "app  [####################]  20 B of ~10 B  1.00 MiB/s")
    }

    @Test(
        "Durations are shown by their two largest units",
        arguments: [(0, "0s"), (59, "59s"), (190, "3m10s"), (3600, "1h"), (7505, "2h5m"), (100_900, "1d4h")]
            as [(Int64, String)])
    func durations(seconds: Int64, text: String) { #expect(shortDuration(seconds) == text) }

    private func reading(
        _ name: String, _ unit: String?, _ bytes: Int64, of expected: Int64, _ detail: String? = nil
    ) -> ProgressReading {
        var pace = Pace()
        pace.note(0, at: start)
        pace.note(10 << 20, at: start + .seconds(10))
        return ProgressReading(
            ProgressLine(
                .dump, name: name, unit: unit,
                progress: UnitProgress(bytes: bytes, expectedBytes: expected, detail: detail)), pace)
    }
}
