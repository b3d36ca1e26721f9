import CKeeper
import Processes
import SystemPackage
import Testing

@testable import Snapshots

/// What is read here and what `muster-keeper` writes have one header, `CKeeper.h`.
@Suite("A report of what holds an application frozen")
struct FreezeReportTests {
    @Test("is a letter of CKeeper.h and a number, and has a meaning for each letter")
    func letters() {
        #expect(report(freeze_report_command_too_long) == .commandTooLong)
        #expect(report(freeze_report_stopped) == .stopped)
        #expect(report(freeze_report_lock_held) == .lockHeld)
        #expect(report(freeze_report_goes_on, 4711) == .freezeGoesOn(4711))
        #expect(report(freeze_report_no_lock, 13) == .noLock(.permissionDenied))
        #expect(
            report(freeze_report_command_ended, 4 << 8, "one\ntwo\n")
                == .commandEnded(ProgramOutcome(status: .exited(4), lastErrorLines: ["one", "two"])))
    }

    @Test("is none when it is cut off, empty, or begins with another letter")
    func none() {
        #expect(FreezeHolder.Report([]) == nil)
        #expect(FreezeHolder.Report([UInt8(freeze_report_stopped.rawValue), 0, 0, 0]) == nil)
        #expect(FreezeHolder.Report([UInt8(ascii: "?"), 0, 0, 0, 0]) == nil)
    }

    private func report(_ kind: freeze_report, _ number: Int32 = 0, _ errors: String = "") -> FreezeHolder.Report? {
        FreezeHolder.Report([UInt8(kind.rawValue)] + withUnsafeBytes(of: number, Array.init) + errors.utf8)
    }
}
