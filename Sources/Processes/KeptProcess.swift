import CLinux
import Glibc
import SystemPackage

/// A keeper that runs, watched over by one thread from its start to its end.
///
/// That thread needs no other: where there is no room for threads, `onOwnThread` has the work done by the caller's own.
struct KeptProcess: ~Copyable {
    private let child: ChildProcess
    /// Can be read once the keeper has ended.
    private let end: Int32
    private var errors: OutputPipe
    private var output: OutputPipe

    private init(_ child: ChildProcess, end: Int32, errors: consuming OutputPipe, output: consuming OutputPipe) {
        self.child = child
        self.end = end
        self.errors = errors
        self.output = output
    }

    /// Starts it.
    ///
    /// - Parameters:
    ///   - input: what the program reads.
    ///   - secrets: what the keeper hands on in memory, line by line; nil for none.
    ///   - file: where standard output goes; nil for a pipe to us.
    static func start(
        _ words: [String], _ variables: [String: String], in directory: FilePath, input: FileDescriptor,
        secrets: FileDescriptor?, file: FileDescriptor?
    ) throws(Errno) -> KeptProcess {
        var errors = try OutputPipe()
        var output = file == nil ? try OutputPipe() : OutputPipe.none
        let target = file?.rawValue ?? output.writeEnd
        let child = try ChildProcess.start(
            words, variables, in: directory,
            [input.rawValue, target, errors.writeEnd] + (secrets.map { [$0.rawValue] } ?? []))
        errors.closeWriteEnd()
        output.closeWriteEnd()
        let end = clinux_pidfd_open(child.pid)
        guard end >= 0 else {
            kill(child.pid, SIGTERM)
            _ = child.reap()
            throw Errno(rawValue: -end)
        }
        return KeptProcess(child, end: end, errors: errors, output: output)
    }

    deinit { close(end) }

    /// Stays with it to its end, which is the wait status.
    ///
    /// - Parameters:
    ///   - patience: from SIGTERM, when it is asked for, to SIGKILL.
    ///   - onOutput: returns false when it has enough, and the program is to be stopped.
    /// - Throws: when its output cannot be read. It has been stopped then, and so it has whenever this returns.
    mutating func watch(
        stop: ProgramStop, patience: Duration, onErrors: (UnsafeRawBufferPointer) -> Void,
        onOutput: (UnsafeRawBufferPointer) -> Bool
    ) throws(Errno) -> Int32 {
        var teardown = Teardown(pid: child.pid, patience: patience)
        var failure: Errno?
        var wantsMore = true
        while true {
            let ready = wait(stop, teardown)
            if ready.stop { teardown.begin() }
            do throws(Errno) {
                try errors.drain(everything: ready.end, onErrors)
                try output.drain(everything: ready.end) { if wantsMore { wantsMore = onOutput($0) } }
                if !wantsMore { teardown.begin() }
            } catch {
                failure = error
                teardown.begin()
            }
            if ready.end { break }
            teardown.killIfOverdue()
        }
        let status = child.reap()
        if let failure { throw failure }
        guard let status else { throw .noChildProcess }
        return status
    }

    /// Waits until there is something to do.
    private func wait(_ stop: ProgramStop, _ teardown: borrowing Teardown) -> (stop: Bool, end: Bool) {
        var watched = [end, teardown.hasBegun ? -1 : stop.descriptor, errors.readEnd, output.readEnd].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        // A failure of poll(2) itself is a moment's pause.
        if poll(&watched, nfds_t(watched.count), teardown.millisecondsLeft) < 0 { usleep(10_000) }
        return (watched[1].revents != 0, watched[0].revents != 0)
    }
}

/// The end of a keeper that was asked for: SIGTERM, and SIGKILL when it does not do what that is for.
private struct Teardown: ~Copyable {
    let pid: pid_t
    let patience: Duration
    private var killAt: ContinuousClock.Instant?

    init(pid: pid_t, patience: Duration) {
        self.pid = pid
        self.patience = patience
    }

    var hasBegun: Bool { killAt != nil }

    /// As poll(2) takes it.
    var millisecondsLeft: Int32 {
        guard let killAt else { return -1 }
        return Int32(clamping: max(0, (killAt - .now).components.seconds * 1000 + 1000))
    }

    mutating func begin() {
        guard !hasBegun else { return }
        kill(pid, SIGTERM)
        killAt = .now + patience
    }

    /// The keeper is not reaped before its end was seen, so that its number is still its own.
    mutating func killIfOverdue() {
        guard let killAt, killAt <= .now else { return }
        kill(pid, SIGKILL)
        self.killAt = .now + .seconds(5)
    }
}
