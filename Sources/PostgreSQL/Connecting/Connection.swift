import CLibPQ
import DumpCore
import Glibc
import Linux

/// A libpq connection, closed when it goes out of scope. Its calls block the thread.
struct Connection: ~Copyable {
    private let handle: OpaquePointer
    /// How many remarks the server has made.
    private let notices: UnsafeMutablePointer<Int>

    /// More than any of our questions is answered with. A server that sends on and on is not waited for.
    static let most = (bytes: 512 << 20, notices: 10_000)

    /// Takes over a connection that `PQconnectStartParams` began.
    init(owning handle: OpaquePointer) {
        self.handle = handle
        // What the server remarks in passing would go to our standard error.
        notices = .allocate(capacity: 1)
        notices.initialize(to: 0)
        PQsetNoticeProcessor(handle, { count, _ in count?.assumingMemoryBound(to: Int.self).pointee += 1 }, notices)
    }

    /// Hangs up, and waits until the server's process has ended too. The server counts its connection until then, and the next step may get
    /// no other.
    deinit {
        let socket = isAlive ? fcntl(PQsocket(handle), F_DUPFD_CLOEXEC, 0) : -1
        PQfinish(handle)
        notices.deallocate()
        guard socket >= 0 else { return }
        Self.awaitEnd(of: socket)
        close(socket)
    }

    /// Not for long: a network that was cut never reports an end.
    private static func awaitEnd(of socket: Int32) {
        let end = ContinuousClock.now + .seconds(1)
        var watched = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { rest in
            while ContinuousClock.now < end {
                guard poll(&watched, 1, 50) > 0 else { continue }
                let count = recv(socket, rest.baseAddress, rest.count, Int32(MSG_DONTWAIT))
                if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { return }
            }
        }
    }

    var status: ConnStatusType { PQstatus(handle) }
    var problem: String { String(cString: PQerrorMessage(handle)).trimmed }
    /// Whether the server is there, as far as is known.
    var isAlive: Bool { status == CONNECTION_OK }
    /// Whether another statement may be sent: none is running, and the server is there.
    var isUsable: Bool { isAlive && PQtransactionStatus(handle) != PQTRANS_ACTIVE }
    var serverVersion: Int32 { PQserverVersion(handle) }
    /// The server's process, as the server named it when we connected. A pooler names another.
    var processID: Int32 { PQbackendPID(handle) }
    var serverEncoding: String { PQparameterStatus(handle, "server_encoding").map { String(cString: $0) } ?? "" }

    var endpoint: Session.Endpoint {
        Session.Endpoint(
            host: text(PQhost(handle)), address: text(PQhostaddr(handle)), port: text(PQport(handle)),
            user: text(PQuser(handle)), database: text(PQdb(handle)), options: option("options") ?? "")
    }

    /// An option as it is in force: from the connection string, the environment, the service file, or libpq itself.
    func option(_ keyword: String) -> String? {
        guard let options = PQconninfo(handle) else { return nil }
        defer { PQconninfoFree(options) }
        var next = options
        while let name = next.pointee.keyword {
            if String(cString: name) == keyword { return next.pointee.val.map { String(cString: $0) } }
            next += 1
        }
        return nil
    }

    /// Goes on until the connection stands, fails, or need not be waited for any longer.
    func establish(waiting: Waiting) -> Waiting.Outcome {
        var next = PGRES_POLLING_WRITING
        while status != CONNECTION_BAD, next != PGRES_POLLING_OK, next != PGRES_POLLING_FAILED {
            let events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT
            let outcome = waiting.forSocket(PQsocket(handle), Int16(events))
            guard outcome == .ready else { return outcome }
            next = PQconnectPoll(handle)
        }
        return .ready
    }

    func query(_ statement: String, _ parameters: [String?], waiting: Waiting) throws(DumpError) -> [Row] {
        guard send(statement, parameters) else { throw lost() }
        return try receive(waiting: waiting)
    }

    /// Sends one or more statements, and does not wait for their answer: `receive` must follow.
    func send(_ statements: String) throws(DumpError) {
        guard PQsendQuery(handle, statements) != 0 else { throw lost() }
    }

    /// Waits for the answer to what was sent: the rows of all its statements, or the first error.
    func receive(waiting: Waiting) throws(DumpError) -> [Row] {
        // Row by row: libpq would keep all of an answer.
        PQsetSingleRowMode(handle)
        var rows: [Row] = []
        var (columns, bytes) = ([String](), 0)
        var failure: DumpError?
        while let result = try nextResult(waiting) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK:
                if columns.isEmpty { columns = Row.columns(of: result) }
                for row in Row.all(of: result, columns) {
                    bytes += row.bytes
                    guard bytes <= Self.most.bytes else {
                        throw endless("more than \(formatBytes(Int64(Self.most.bytes)))")
                    }
                    rows.append(row)
                }
                // The end of what one statement returns.
                if PQresultStatus(result) == PGRES_TUPLES_OK { columns = [] }
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default: failure = failure ?? refused(result)
            }
        }
        if let failure { throw failure }
        return rows
    }

    private func endless(_ what: String) -> DumpError {
        DumpError(
            .sourceUnavailable, "\(endpoint.shown) answers with \(what)",
            hint: "Check that this is the server that you mean, and that no one has replaced it.")
    }

    private func nextResult(_ waiting: Waiting) throws(DumpError) -> OpaquePointer? {
        notices.pointee = 0
        while PQisBusy(handle) != 0 {
            guard notices.pointee <= Self.most.notices else {
                throw endless("more than \(Self.most.notices) notices")
            }
            switch waiting.forSocket(PQsocket(handle), Int16(POLLIN)) {
            case .ready: guard PQconsumeInput(handle) != 0 else { throw lost() }
            case .stopped:
                cancel()
                throw DumpError(.cancelled, "a question to \(endpoint.shown) was cancelled")
            case .tooLong:
                // Otherwise it goes on for as long as it takes, for nothing.
                cancel()
                throw DumpError(
                    .sourceUnavailable, "\(endpoint.shown) did not answer in time",
                    hint: "Check that the server is up and not overloaded, and that the network is not cut.")
            }
        }
        return PQgetResult(handle)
    }

    private func send(_ statement: String, _ parameters: [String?]) -> Bool {
        let copies = parameters.map { $0.map { strdup($0) } ?? nil }
        defer { for copy in copies { free(copy) } }
        let values = copies.map { UnsafePointer($0) }
        return PQsendQueryParams(handle, statement, Int32(values.count), nil, values, nil, nil, 0) != 0
    }

    /// Asks the server to end the running statement, without waiting for it. Asking takes a connection of its own, which hangs for minutes
    /// when the network is cut. This connection is of no more use.
    private func cancel() {
        guard let pointer = PQgetCancel(handle) else { return }
        nonisolated(unsafe) let request = pointer
        Task.detached {
            await onOwnThread {
                withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { problem in
                    _ = PQcancel(request, problem.baseAddress, Int32(problem.count))
                }
                PQfreeCancel(request)
            }
        }
    }

    private func refused(_ result: OpaquePointer) -> DumpError {
        let field = { (code: Character) in
            PQresultErrorField(result, Int32(code.asciiValue!)).map { String(cString: $0) }
        }
        let state = field("C")
        return DumpError(
            .sourceUnavailable, "\(endpoint.shown) answered: \(field("M") ?? problem)",
            context: ["sqlstate": state ?? "unknown"], isTransient: state.map(isTransient(sqlstate:)) ?? false)
    }

    private func lost() -> DumpError {
        DumpError(
            .sourceUnavailable, "the connection to \(endpoint.shown) broke", context: ["cause": problem],
            isTransient: true)
    }

    private func text(_ value: UnsafeMutablePointer<CChar>?) -> String { value.map { String(cString: $0) } ?? "" }
}

/// Whether an SQLSTATE (PostgreSQL's manual, appendix A) says that the same may well go right in a while.
private func isTransient(sqlstate state: String) -> Bool {
    let states: Set = [
        // Conflicts: of transactions, with recovery, of locks.
        "40001", "40P01", "55P03",
        // The server is being shut down, has crashed, or is not up yet.
        "57P01", "57P02", "57P03",
    ]
    return states.contains(state) || state.hasPrefix("08")
}
