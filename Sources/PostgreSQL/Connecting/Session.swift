import CLibPQ
import DumpCore
import Glibc
import Linux
import Synchronization

/// One connection to a PostgreSQL server, for questions about it. It reads only, whatever it is asked.
///
/// Each call runs on a thread of its own, one at a time, and ends soon after its task is cancelled. The connection is closed
/// by `close()`, or with the last reference.
final class Session: Sendable {
    /// Where it is connected to, spelled out, so that programs reach the very same server and role.
    let endpoint: Endpoint
    private let connection: Mutex<Connection?>

    struct Endpoint: Sendable, Equatable {
        /// A host's name, or the directory of a socket.
        var host: String
        /// The address behind the name; empty for a socket.
        var address: String
        var port: String
        var user: String
        var database: String
        /// Settings for the server, as they were given by whatever way: `-c work_mem=64MB`.
        var options = ""

        /// Whether the operator's settings for the server say which role to act as.
        var namesRole: Bool {
            options.splitAtASCIISpace().contains { word in
                word.drop { $0 == "-" }.hasPrefix("role=") || word.hasPrefix("-crole=")
            }
        }
    }

    init(_ connection: consuming sending Connection) {
        endpoint = connection.endpoint
        self.connection = Mutex(consume connection)
    }

    func close() async {
        await onOwnThread { self.closeHere() }
    }

    /// Closes it on this thread, which it may block for a moment.
    func closeHere() { connection.withLock { $0 = nil } }

    /// Runs one statement and returns its rows. Cancelling the task cancels the statement on the server too.
    ///
    /// - Parameter limit: after this long the statement is given up, and the connection with it.
    func query(
        _ statement: String, _ parameters: [String?] = [], limit: Duration = .seconds(120)
    ) async throws(DumpError) -> [Row] {
        try await onOwnThreadUntilCancelled { stop throws(DumpError) in
            try self.withConnection { open throws(DumpError) in
                try open.query(statement, parameters, waiting: Waiting(stop: stop, limit: limit))
            }
        }
    }

    /// Runs several statements in one message, whose answers do not matter.
    func perform(_ statements: String) async throws(DumpError) {
        _ = try await onOwnThreadUntilCancelled { stop throws(DumpError) in
            try self.withConnection { open throws(DumpError) in
                try open.send(statements)
                return try open.receive(waiting: Waiting(stop: stop, limit: .seconds(120)))
            }
        }
    }

    /// Sends statements without waiting for their answer, so that several sessions can be asked at once. `receive` must follow.
    /// May block the thread for a moment.
    func send(_ statements: String) throws(DumpError) {
        try withConnection(leavingItBusy: true) { open throws(DumpError) in try open.send(statements) }
    }

    /// The rows of all statements that were sent. Blocks the thread.
    func receive(waiting: Waiting) throws(DumpError) -> [Row] {
        try withConnection { open throws(DumpError) in try open.receive(waiting: waiting) }
    }

    /// The connection is closed when it is of no more use afterwards.
    private func withConnection<Answer: Sendable>(
        leavingItBusy busy: Bool = false, _ body: @Sendable (borrowing Connection) throws(DumpError) -> Answer
    ) throws(DumpError) -> Answer {
        try connection.withLock { connection throws(DumpError) in
            guard let open = connection.take() else {
                throw DumpError(.sourceUnavailable, "the connection to \(self.endpoint.shown) is closed")
            }
            let answer = Result { () throws(DumpError) in try body(open) }
            if busy ? open.isAlive : open.isUsable { connection = consume open }
            return try answer.get()
        }
    }
}

extension Session {
    /// The one row that a statement returns.
    func row(_ statement: String, _ parameters: [String?] = []) async throws(DumpError) -> Row {
        let rows = try await query(statement, parameters)
        guard rows.count == 1 else {
            throw DumpError(
                .sourceUnavailable, "\(endpoint.shown) answered with \(rows.count) rows where there must be one")
        }
        return rows[0]
    }
}

extension Session {
    /// Runs `body` and closes the session, whatever came of it.
    func closing<Result>(
        after body: (Session) async throws(DumpError) -> Result
    ) async throws(DumpError) -> Result {
        try await withCleanup { () async throws(DumpError) in
            try await body(self)
        } cleanup: {
            await close()
        }
    }
}

extension Session.Endpoint {
    var shown: String { "database '\(database)' as '\(user)'" }
}

/// How a thread waits for a socket: in short steps, so that it notices when it should stop or has waited too long.
struct Waiting {
    enum Outcome { case ready, stopped, tooLong }

    private let stop: StopSign
    private let end: ContinuousClock.Instant?

    init(stop: StopSign, limit: Duration?) {
        self.stop = stop
        end = limit.map { .now + $0 }
    }

    func forSocket(_ socket: Int32, _ events: Int16) -> Outcome {
        while true {
            var watched = pollfd(fd: socket, events: events, revents: 0)
            let ready = poll(&watched, 1, 50)
            if stop.isRaised { return .stopped }
            // Not even who sends all the time is waited for any longer.
            if let end, ContinuousClock.now >= end { return .tooLong }
            if ready > 0 { return .ready }
        }
    }
}
