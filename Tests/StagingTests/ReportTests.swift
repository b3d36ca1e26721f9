import Documents
import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("Run reports")
struct ReportTests {
    private struct Report: Codable, Equatable {
        var runID: RunID
        var manifestSHA256: String
        var bytesPerRepository: [String: Int]
    }

    @Test("A report reads back as it was written, and is replaced as a whole")
    func roundTrip() async throws {
        try await withArea { area in
            var report = Report(runID: .numbered(1), manifestSHA256: "00", bytesPerRepository: ["off_site": 1])
            try await area.writeReport("something else", of: .numbered(1))
            report.bytesPerRepository["runID"] = 2
            try await area.writeReport(report, of: .numbered(1))
            let stored = try #require(try await area.reports().first)
            #expect(stored.run == .numbered(1))
            #expect(
                String(decoding: stored.bytes, as: UTF8.self) == """
                    {
                      "bytes_per_repository" : {
                        "off_site" : 1,
                        "runID" : 2
                      },
                      "manifest_sha256" : "00",
                      "run_id" : "\(RunID.numbered(1))"
                    }

                    """)
            #expect(try SnakeCaseJSON.decode(Report.self, from: stored.bytes) == report)
            let file = area.root.appending("runs/\(RunID.numbered(1)).json")
            #expect(try FileSystem.status(of: file).mode == 0o600)
        }
    }

    @Test("The newest 200 are kept, newest first, and what is not a report stays")
    func kept() async throws {
        try await withArea { area in
            let runs = area.root.appending("runs")
            func name(_ number: Int) -> String { "\(run(number)).json" }
            try write("", to: runs.appending("notes.json"))
            for number in 1...210 { try write("{}", to: runs.appending(name(number))) }
            // What crashes left: of a run whose turn to go has come, and of one whose turn has not.
            try write("{", to: runs.appending("\(name(5)).new"))
            try write("{", to: runs.appending("\(name(205)).new"))
            try await area.writeReport("new", of: run(211))
            let reports = try await area.reports()
            #expect(reports.map(\.run) == (12...211).reversed().map(run))
            var kept = (12...205).map(name) + ["\(name(205)).new"]
            kept += (206...211).map(name) + ["notes.json"]
            #expect(try FileSystem.names(in: runs).map(\.string) == kept)
        }
    }

    @Test("Of two runs that began in the same second, the one that was written last is the newer one")
    func sameSecond() async throws {
        try await withArea { area in
            for (name, second) in [("ffff", 1), ("0000", 2), ("8888", 3)] {
                let id = try #require(RunID("20261123T080102Z-\(name)"))
                try await area.writeReport(second, of: id)
                try FileSystem.setModified(area.root.appending("runs/\(id).json"), to: Int64(second) * 1_000_000_000)
            }
            #expect(
                try await area.reports().map { String(decoding: $0.bytes, as: UTF8.self) } == ["3\n", "2\n", "1\n"])
        }
    }

    @Test("A staging directory below a link is made like any other")
    func belowLink() async throws {
        try await withScratch { scratch in
            let (disk, link) = (scratch.appending("disk"), scratch.appending("link"))
            try FileSystem.createDirectory(disk)
            try #require(symlink(disk.string, link.string) == 0)
            let area = try await StagingArea.open(link.appending("staging"))
            try await area.writeReport(1, of: run(1))
            #expect(try await area.reports().map(\.run) == [run(1)])
        }
    }

    private func run(_ number: Int) -> RunID { RunID("20261123T080102Z-0\(100 + number)")! }
}
