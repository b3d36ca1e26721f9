import Borg
import DumpCore
import TestSupport
import Testing

@Suite("Whose archives they are")
struct OwnerTests {
    static let present = ArchiveSeries(host: "web2", job: "nightly")
    static let former = ArchiveSeries(host: "web1", job: "backup")
    static let id = JobID()
    static let owner = ArchiveOwner(id: id, names: [former, present])

    static func archive(_ series: ArchiveSeries, by job: JobID?, named name: String? = nil) -> Archive {
        var provenance = Provenance(series: series, runID: RunID(start: Host.time), manifestSHA256: "00ff")
        provenance.jobID = job
        return Archive(name: name ?? series.name(at: Host.time), id: "ab", start: Host.time, provenance: provenance)
    }

    @Test("is decided by the id, under whatever name and host the job was")
    func byID() {
        #expect(Self.owner.owns(Self.archive(Self.present, by: Self.id)))
        #expect(Self.owner.owns(Self.archive(Self.former, by: Self.id)))
        #expect(Self.owner.owns(Self.archive(ArchiveSeries(host: "c0ffee", job: "nightly"), by: Self.id)))
        #expect(!Self.owner.owns(Self.archive(Self.present, by: JobID())), "a job of the same name is another")
    }

    @Test("is decided by the names where the comment has no id, as from Muster 0.1.0, and where the job's is not known")
    func byName() {
        #expect(Self.owner.owns(Self.archive(Self.former, by: nil)))
        #expect(!Self.owner.owns(Self.archive(ArchiveSeries(host: "web3", job: "nightly"), by: nil)))
        #expect(ArchiveOwner(names: [Self.present]).owns(Self.archive(Self.present, by: JobID())))
    }

    @Test("is nobody's who has renamed the archive, or copied a comment")
    func renamed() {
        #expect(!Self.owner.owns(Self.archive(Self.present, by: Self.id, named: "before-the-upgrade")))
        let foreign = Archive(name: Self.present.name(at: Host.time), id: "ab", start: Host.time, provenance: nil)
        #expect(!Self.owner.owns(foreign))
    }

    @Test("A comment tells the id, and one without is read as before")
    func comments() throws {
        let made = try #require(Self.archive(Self.present, by: Self.id).provenance)
        #expect(Provenance(comment: made.comment) == made)
        let old = try #require(Self.archive(Self.present, by: nil).provenance)
        #expect(!old.comment.contains(" id="))
        #expect(Provenance(comment: old.comment) == old)
    }

    @Test(
        "Two jobs of one name in one repository see each other's archives as a stranger's",
        arguments: BorgUnderTest.allCases)
    func namesakes(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let (one, other) = (JobID(), JobID())
            let repository = host.repository()
            _ = try await repository.create(try host.seal(), at: Host.time, by: one)
            let later = Timestamp(milliseconds: Host.time.milliseconds + 1000)
            let own = try await repository.create(try host.seal([:]), at: later, by: other)
            let holdings = try await repository.holdings(of: ArchiveOwner(id: other, names: [Host.series]))
            #expect(holdings.archives == [own.archive])
            #expect(holdings.strangers.map(\.name) == [Host.archiveName])
            // Under another name now: one pattern does not find them all.
            let renamed = ArchiveOwner(id: one, names: [Host.series, Self.present])
            #expect(try await repository.holdings(of: renamed).archives.map(\.name) == [Host.archiveName])
        }
    }
}
