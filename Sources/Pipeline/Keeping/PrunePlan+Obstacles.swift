import Borg
import Catalog
import DumpCore
import Linux

extension Archive {
    /// Whether its date is ahead, by more than a clock is corrected.
    func isAhead(of now: Timestamp) -> Bool { start.milliseconds > now.milliseconds + ClockJump.mostBehind }
}

extension Holdings {
    /// Counts those that the operator has taken over as the job's own.
    func including(accepted ledger: RepositoryLedger) -> Holdings {
        guard let accepted = ledger.acceptedArchives.map(Set.init), !accepted.isEmpty else { return self }
        var holdings = self
        let taken = strangers.filter { accepted.contains($0.id) }
        holdings.strangers.removeAll { accepted.contains($0.id) }
        holdings.archives = (archives + taken).sorted { $1.isOlder(than: $0) }
        return holdings
    }

    /// Why nothing may be deleted: rules that go by dates and by what is there would be applied to what is not what it seems.
    func obstacles(knowing ledger: RepositoryLedger, at now: ClockReading) -> [Finding] {
        [
            ledger.jump(at: now).map { Finding($0) },
            Finding(ahead: ahead(of: now.time, knowing: ledger)),
            Finding(unknown: unknown(to: ledger)),
        ].compactMap(\.self)
    }

    /// Archives whose dates lie ahead, and for which the operator has not vouched.
    func ahead(of now: Timestamp, knowing ledger: RepositoryLedger) -> [Archive] {
        archives.filter { $0.isAhead(of: now) && !ledger.hasAccepted($0) }
    }

    /// The job's archives that were not made from this staging area. Newest first.
    func unknown(to ledger: RepositoryLedger) -> [Archive] {
        archives.filter { ledger.standing(of: $0) == .unknown && !ledger.hasAccepted($0) }
    }

    /// Archives that another job of the same name made, on a host of the same name. Newest first.
    var archivesOfNamesakes: [Archive] {
        strangers.filter { archive in
            guard let provenance = archive.provenance, provenance.series.covers(archive.name) else { return false }
            return owner.names.contains(provenance.series)
        }
    }

    var namesakes: [Finding] { Finding(ofNamesakes: archivesOfNamesakes).map { [$0] } ?? [] }
}

extension RepositoryLedger {
    func hasAccepted(_ archive: Archive) -> Bool { acceptedArchives?.contains(archive.id) ?? false }
}

extension Finding {
    fileprivate init(_ jump: ClockJump) {
        self.init(
            .warning, "clock_jumped", object: "clock",
            "the clock jumped from \(jump.before) to \(jump.after) between two archives",
            hint: "Set the clock right. If it is right: muster accept --clock.")
    }

    /// About the newest of several archives; nil if there is none.
    fileprivate init?(code: String, about archives: [Archive], _ message: (Archive) -> String, hint: String) {
        guard let newest = archives.first else { return nil }
        self.init(.warning, code, object: newest.name, message(newest), hint: hint)
    }

    fileprivate init?(ahead archives: [Archive]) {
        self.init(
            code: "archive_dated_ahead", about: archives,
            { "archive '\($0.name)' is dated in the future, \($0.start): the clock was ahead, or is behind now" },
            hint: "Set the clock right. If it is right, delete that archive once there is a newer one, "
                + "or let it stay until that date: muster accept --clock.")
    }

    fileprivate init?(unknown archives: [Archive]) {
        self.init(
            code: "archives_unknown", about: archives,
            {
                "\(archives.count) archives of this job are not known to this staging directory, the newest is '\($0.name)'"
            },
            hint: "Another host may run a copy of this job: give it another, empty staging directory. "
                + "If they are this job's: muster accept --archives.")
    }

    fileprivate init?(ofNamesakes archives: [Archive]) {
        self.init(
            code: "archives_of_namesake", about: archives,
            {
                "\(archives.count) archives under this job's name are another job's, or of an earlier staging directory, "
                    + "the newest is '\($0.name)': they are neither counted nor deleted"
            },
            hint: "Give one of the jobs another name, or set host:. If they are this job's: muster accept --archives.")
    }
}
