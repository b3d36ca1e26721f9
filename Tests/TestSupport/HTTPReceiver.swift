import Linux
import Processes
import SystemPackage
import Testing

/// A server on this host alone that receives notices, and answers as the first part of a path says.
///
///     /ok/…        200                      /redirect/…   302, to /ok/redirected
///     /refuse/…    500                      /hang/…       never answers
///     /close/…     closes the connection    /barrier/N/…  200 once N requests wait at once
public struct HTTPReceiver: Sendable {
    public struct Request: Sendable, Equatable {
        public var method: String
        public var path: String
        /// By their names in lower case.
        public var headers: [String: String]
        public var body: String
    }

    public let port: String
    private let isSecure: Bool
    private let log: FilePath
    /// Its own certificate, which no host trusts; there only with TLS.
    public let certificate: FilePath

    /// Serves while `body` runs.
    ///
    /// - Parameter isSecure: whether it speaks TLS, with a certificate for `localhost` that it signed itself.
    public static func with<Result>(
        in scratch: FilePath, isSecure: Bool = false, _ body: (HTTPReceiver) async throws -> Result
    ) async throws -> Result {
        let directory = scratch.appending("receiver-\(UInt32.random(in: .min ... .max))")
        try FileSystem.createDirectory(directory)
        let certificate = directory.appending("certificate.pem")
        if isSecure { try await makeCertificate(certificate) }
        let server = Program(
            "/usr/bin/python3", ["-c", script, directory.string, isSecure ? certificate.string : ""])
        let running = Task { try await ProgramRunner(keeper: keeperExecutable, log: .silent).run(server) }
        let outcome: Swift.Result<Result, any Error>
        do {
            let port = directory.appending("port")
            try await eventually { (try? read(port).isEmpty) == false }
            outcome = .success(
                try await body(
                    HTTPReceiver(
                        port: read(port), isSecure: isSecure, log: directory.appending("log"), certificate: certificate)
                ))
        } catch {
            outcome = .failure(error)
        }
        running.cancel()
        // It was cancelled: what it throws says that.
        _ = await running.result
        return try outcome.get()
    }

    public func url(_ path: String) -> String {
        isSecure ? "https://localhost:\(port)/\(path)" : "http://127.0.0.1:\(port)/\(path)"
    }

    /// What came so far, in the order in which it came.
    public func requests() throws -> [Request] {
        guard let log = try? read(log) else { return [] }
        return try log.split(separator: "\n").map { line in
            let tree = try JSONTree(String(line))
            guard case .mapping(let headers)? = tree["headers"] else { throw HostError(description: log) }
            return Request(
                method: tree["method"]?.text ?? "", path: tree["path"]?.text ?? "",
                headers: headers.mapValues { $0.text ?? "" }, body: tree["body"]?.text ?? "")
        }
    }

    /// The bodies of what came to paths that begin so.
    public func bodies(_ path: String) throws -> [String] {
        try requests().filter { $0.path.hasPrefix("/\(path)") }.map(\.body)
    }

    private static func makeCertificate(_ path: FilePath) async throws {
        let made = try await runProgram(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost", "-keyout", path.string + ".key", "-out", path.string,
            ])
        guard made.succeeded else { throw HostError(description: made.lastErrors) }
    }

    private static let script = """
        import http.server, json, os, ssl, sys, threading
        directory, certificate = sys.argv[1:]
        log = os.open(directory + "/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        waiting, arrived = {}, threading.Condition()
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                os.write(log, (json.dumps({"method": self.command, "path": self.path, "body": body,
                    "headers": {k.lower(): v for k, v in self.headers.items()}}) + "\\n").encode())
                parts = self.path.split("/")
                if parts[1] == "close": return
                if parts[1] == "hang": threading.Event().wait()
                if parts[1] == "barrier":
                    with arrived:
                        waiting[parts[2]] = waiting.get(parts[2], 0) + 1
                        arrived.notify_all()
                        arrived.wait_for(lambda: waiting[parts[2]] >= int(parts[2]))
                self.send_response({"redirect": 302, "refuse": 500}.get(parts[1], 200))
                if parts[1] == "redirect": self.send_header("Location", "/ok/redirected")
                self.send_header("Content-Length", "0")
                self.end_headers()
            do_GET = do_POST = do_PUT = do_PATCH = answer
            def log_message(self, *words): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, certificate + ".key")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        with open(directory + "/port.new", "w") as file: file.write(str(server.server_address[1]))
        os.rename(directory + "/port.new", directory + "/port")
        server.serve_forever()
        """
}

extension JSONTree {
    public var text: String? {
        if case .text(let text) = self { text } else { nil }
    }
}
