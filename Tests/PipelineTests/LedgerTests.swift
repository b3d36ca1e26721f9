import Borg
import DumpCore
import Staging
import TestSupport
import Testing

@testable import Pipeline

@Suite("What is noted of a repository's archives")
struct LedgerTests {
    static let provenance = Provenance(
        series: ArchiveSeries(host: "web1", job: "nightly"), runID: RunID("20261123T080102Z-5f3a")!,
        manifestSHA256: "00ff")
    static let begun = BegunArchive(name: "web1-nightly-2026-11-23T08:01:02Z", provenance: provenance)

    @Test("An archive is unknown, then begun, then confirmed, and survives on disk as such")
    func story() async throws {
        try await withScratch { scratch in
            let area = try await StagingArea.open(scratch.appending("staging"))
            var ledger = try await RepositoryLedger(of: "off site/1", in: area)
            let archive = Archive(name: Self.begun.name, id: "ab12", start: .now, provenance: Self.provenance)
            #expect(ledger.standing(of: archive) == .unknown)
            ledger.begin(Self.begun)
            #expect(ledger.standing(of: archive) == .unconfirmed)

            let lock = try await area.lock(for: Self.provenance.runID, command: "test")
            try await lock.writeRepositoryRecord(of: "off site/1", ledger)
            ledger = try await RepositoryLedger(of: "off site/1", in: area)
            #expect(ledger.begun.map(\.begunArchive) == [Self.begun])

            #expect(!ledger.knowsArchives(at: "/repo"))
            ledger.confirm(archive, of: Self.begun, at: "/repo")
            try await lock.writeRepositoryRecord(of: "off site/1", ledger)
            ledger = try await RepositoryLedger(of: "off site/1", in: area)
            #expect(ledger.begun.isEmpty)
            #expect(ledger.standing(of: archive) == .confirmed)
            #expect(ledger.knowsArchives(at: "/repo") && !ledger.knowsArchives(at: "/other"))
            var another = archive
            another.id = "cd34"
            #expect(ledger.standing(of: another) == .unknown, "a name alone says nothing")
            #expect(try await RepositoryLedger(of: "other", in: area).confirmed.isEmpty)
        }
    }

    @Test("Borg may know files of sets that are still there, those of an archive that failed too, and of no other")
    func knownFiles() throws {
        let runs = ["20261122T080102Z-0001", "20261123T080102Z-5f3a", "20261124T080102Z-0003"].map { RunID($0)! }
        var ledger = RepositoryLedger()
        #expect(!ledger.mayKnowFiles(keeping: runs), "a cache may be there that nobody knows of")
        ledger.begin(Self.begun)
        #expect(!ledger.mayKnowFiles(keeping: runs))
        let archive = Archive(name: Self.begun.name, id: "ab12", start: .now, provenance: Self.provenance)
        ledger.confirm(archive, of: Self.begun, at: "/repo")
        #expect(ledger.mayKnowFiles(keeping: [runs[2], runs[1]]))
        #expect(!ledger.mayKnowFiles(keeping: [runs[2]]))
        var next = Self.begun
        next.provenance.runID = runs[2]
        ledger.begin(next)
        ledger.drop(next)
        #expect(ledger.mayKnowFiles(keeping: [runs[2], runs[1]]))
        #expect(!ledger.mayKnowFiles(keeping: [runs[1], runs[0]]))
    }

    @Test("A note that cannot be read is an error that says where it is, and not an empty one")
    func damaged() async throws {
        try await withScratch { scratch in
            let area = try await StagingArea.open(scratch.appending("staging"))
            try write("{", to: area.root.appending("repositories/offsite.json"))
            let error = await #expect(throws: StagingError.self) { try await RepositoryLedger(of: "offsite", in: area) }
            #expect(error?.code == .damagedRecord)
            #expect(error?.message.contains("'offsite'") == true)
        }
    }
}
