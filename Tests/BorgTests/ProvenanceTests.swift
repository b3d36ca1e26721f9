import Borg
import DumpCore
import Testing

@Suite("Names and comments of archives")
struct ProvenanceTests {
    static let odd = ["nightly", "my job", "a-b", "{now}", "ä", "", "x/y", "-", "50%", "[0-9]*?"]

    @Test("A comment tells again what was put into it", arguments: odd, odd)
    func roundTrip(host: String, job: String) {
        var provenance = Provenance(
            series: ArchiveSeries(host: host, job: job), runID: RunID("20261123T080102Z-5f3a")!, manifestSHA256: "00ff")
        #expect(Provenance(comment: provenance.comment) == provenance)
        provenance.consistency = .window
        provenance.bytes = 12
        provenance.dumps = [host, job]
        #expect(Provenance(comment: provenance.comment) == provenance)
        // Borg replaces placeholders in comments.
        #expect(!provenance.comment.contains { "{}".contains($0) })
    }

    @Test(
        "A comment that Muster did not write tells nothing",
        arguments: [
            "", "muster", "by hand", "muster host=a job=b run=x manifest=00",
            "host=a job=b run=20261123T080102Z-5f3a manifest=0",
            "muster host=a job=b run=20261123T080102Z-5f3a manifest=00 more",
            "muster host=a run=20261123T080102Z-5f3a manifest=00",
        ])
    func foreign(comment: String) {
        #expect(Provenance(comment: comment) == nil)
    }

    @Test("A name spells host, job and time, and only its own series covers it", arguments: odd)
    func names(job: String) {
        let series = ArchiveSeries(host: "web1", job: job)
        let name = series.name(at: Timestamp("2026-11-23T08:01:02.999Z")!)
        #expect(name.hasSuffix("-2026-11-23T08:01:02Z"))
        #expect(!name.contains { "{}/*?[] ".contains($0) })
        #expect(series.covers(name))
        #expect(!series.covers(name + "x"))
        #expect(!series.covers(String(name.dropLast())))
        #expect(!series.covers("x" + name))
        #expect(!ArchiveSeries(host: "web1", job: job + "2").covers(name))
        #expect(Self.odd.filter { ArchiveSeries(host: "web1", job: $0).covers(name) } == [job])
    }

    @Test("Only a time is a time")
    func times() {
        let series = ArchiveSeries(host: "web1", job: "nightly")
        #expect(series.covers("web1-nightly-2026-11-23T08:01:02Z"))
        for time in ["2026-11-23T08:01:02.000Z", "2026-13-23T08:01:02Z", "2026-11-23", "old-2026-11-23T08:01:02Z", ""] {
            #expect(!series.covers("web1-nightly-\(time)"))
        }
    }
}
