import Borg
import DumpCore
import Staging
import TestSupport
import Testing

@testable import Catalog

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
            ledger.confirm(archive, of: Self.begun, at: "/repo", number: 1)
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

    @Test("An archive is named after the first second that no other of its series has, whatever the clock says")
    func vacantTime() throws {
        let time = try #require(Timestamp("2026-11-23T08:01:02.345Z"))
        let series = Self.provenance.series
        var ledger = RepositoryLedger()
        #expect(ledger.vacantTime(from: time, in: series) == time)
        ledger.begin(Self.begun)
        #expect(series.name(at: ledger.vacantTime(from: time, in: series)) == "web1-nightly-2026-11-23T08:01:03Z")
        let archive = Archive(name: Self.begun.name, id: "ab12", start: .now, provenance: Self.provenance)
        ledger.confirm(archive, of: Self.begun, at: "/repo", number: 1)
        ledger.begin(BegunArchive(name: "web1-nightly-2026-11-23T08:01:03Z", provenance: Self.provenance))
        #expect(series.name(at: ledger.vacantTime(from: time, in: series)) == "web1-nightly-2026-11-23T08:01:04Z")
        #expect(ledger.vacantTime(from: time, in: ArchiveSeries(host: "web1", job: "hourly")) == time)
    }

    @Test("Borg may know files of sets that are still there, those of an archive that failed too, and of no other")
    func knownFiles() throws {
        let runs = ["20261122T080102Z-0001", "20261123T080102Z-5f3a", "20261124T080102Z-0003"].map { RunID($0)! }
        var ledger = RepositoryLedger()
        #expect(!ledger.mayKnowFiles(keeping: runs), "a cache may be there that nobody knows of")
        ledger.begin(Self.begun)
        #expect(!ledger.mayKnowFiles(keeping: runs))
        let archive = Archive(name: Self.begun.name, id: "ab12", start: .now, provenance: Self.provenance)
        ledger.confirm(archive, of: Self.begun, at: "/repo", number: 1)
        #expect(ledger.mayKnowFiles(keeping: [runs[2], runs[1]]))
        #expect(!ledger.mayKnowFiles(keeping: [runs[2]]))
        var next = Self.begun
        next.provenance.runID = runs[2]
        ledger.begin(next)
        ledger.drop(next)
        #expect(ledger.mayKnowFiles(keeping: [runs[2], runs[1]]))
        #expect(!ledger.mayKnowFiles(keeping: [runs[1], runs[0]]))
    }

    @Test(
        "A note of Muster 0.1.0 is read: its archives stay confirmed, in their order, and Borg reads every file once more"
    )
    func fromBefore() async throws {
        try await withScratch { scratch in
            let area = try await StagingArea.open(scratch.appending("staging"))
            try write(
                """
                {"format_version": 1, "begun": [], "location": "/repo", "exported_key": "/key", "confirmed": [
                {"archive": "web1-nightly-2026-11-23T08:01:02Z", "id": "ab12", "run_id": "20261123T080102Z-5f3a",
                 "confirmed_at": "2026-11-23T08:01:05.000Z"},
                {"archive": "web1-nightly-2026-11-24T08:01:02Z", "id": "cd34", "run_id": "20261124T080102Z-5f3a",
                 "confirmed_at": "2026-11-24T08:01:05.000Z"}], "runs_with_known_files": ["20261124T080102Z-5f3a"]}
                """, to: area.root.appending("repositories/offsite.json"))
            var ledger = try await RepositoryLedger(of: "offsite", in: area)
            #expect(ledger.knowsArchives(at: "/repo") && ledger.filesCache == nil)
            #expect(ledger.confirmed.max()?.id == "cd34")
            // The key went to a file that the operator may have moved away since.
            let known = KnownRepository(id: "00", encryption: "repokey-blake2")
            #expect(!ledger.needsKey(of: known, in: "/key") && ledger.needsKey(of: known, in: "/other"))
            let archive = Archive(name: Self.begun.name, id: "ef56", start: .now, provenance: Self.provenance)
            ledger.confirm(archive, of: Self.begun, at: "/repo", number: 1, in: known)
            #expect(ledger.confirmed.max()?.id == "ef56")
            #expect(ledger.confirmed.map(\.repositoryID) == [nil, nil, "00"])
            #expect(ledger.exportedKeyOf == "00")
            // It may be that of a repository which was there before.
            ledger.exportedKeyOf = nil
            let key = scratch.appending("key")
            ledger.exportedKey = key.string
            try write("BORG_KEY 01\n", to: key)
            #expect(ledger.needsKey(of: known, in: key.string))
            try write("BORG_KEY 00\n", to: key)
            #expect(!ledger.needsKey(of: known, in: key.string))
        }
    }

    @Test("A key is exported once for each repository and file")
    func keys() {
        var ledger = RepositoryLedger()
        let known = KnownRepository(id: "00", encryption: "repokey-blake2")
        #expect(ledger.needsKey(of: known, in: "/key"))
        (ledger.exportedKey, ledger.exportedKeyOf, ledger.location) = ("/key", "00", "/repo")
        #expect(!ledger.needsKey(of: known, in: "/key"))
        #expect(ledger.needsKey(of: KnownRepository(id: "01", encryption: nil), in: "/key"))
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
