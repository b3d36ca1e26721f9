import DumpCore
import Linux
import Processes
import SystemPackage

/// A request that `curl` makes. The program gets URL and headers in memory, and the body on its standard input. Its arguments hold none of
/// them, and it says nothing that could repeat them.
///
/// The program checks certificates, follows no redirect, reads no configuration of the user's, and heeds the environment's proxies.
struct HTTPRequest {
    var method: String
    var url: Secret
    var headers: [(name: String, value: Secret)] = []
    /// Nil: no body.
    var body: [UInt8]?

    static let proxyVariables = [
        "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_",
        "CURL_CA_BUNDLE",
    ]

    /// Returns when the receiver has taken it.
    ///
    /// - Parameter limit: curl has a moment less, so that it can say more than that it took too long.
    func send(by runner: ProgramRunner, within limit: Duration) async throws {
        let program = Program(
            try Executables.find("curl"),
            [
                // First, or the user's own configuration is read.
                "--disable", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--globoff",
                "--proto", "=http,https", "--max-time", "\(limit / .seconds(1) - 0.1)", "--config",
                Program.firstSecretPath.string,
            ],
            inheritedPrefixes: Self.proxyVariables,
            secrets: [.file(namedBy: "MUSTER_REQUEST", Secret(configuration))], grace: .seconds(1))
        let outcome = try await runner.run(program, reading: body ?? [], output: .collect(limit: 64))
        guard outcome.succeeded else { throw CurlFailure(outcome.status, within: limit).error }
        try requireTaken(String(decoding: outcome.output, as: UTF8.self))
    }

    private var configuration: String {
        var lines = ["url = \(quoted(url.reveal()))", "request = \(method)"]
        lines += headers.map { "header = \(quoted("\($0.name): \($0.value.reveal())"))" }
        if body != nil { lines.append("data-binary = \"@-\"") }
        return lines.map { $0 + "\n" }.joined()
    }

    /// As curl(1) reads it: a backslash begins an escape.
    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    private func requireTaken(_ code: String) throws(NoticeError) {
        switch Int(code) {
        case (200...299)?: return
        case (300...399)?:
            throw NoticeError(
                .redirected, "it answered \(code), a redirect, which is not followed",
                hint: "Find out with curl where it leads, and give the receiver that URL.")
        default:
            throw NoticeError(
                .refused, "it answered \(code)",
                hint: "Look at the receiver's own log, and at the URL, the headers and the body below notify:.")
        }
    }
}

/// What an exit status of curl(1) means.
private struct CurlFailure {
    var error: NoticeError

    init(_ status: ProgramOutcome.Status, within limit: Duration) {
        guard case .exited(let code) = status else {
            error = NoticeError(.notReached, "curl \(status)", hint: "Look at the kernel's log for what ended it.")
            return
        }
        if code == 28 {
            error = NoticeError(
                .tooSlow, "it did not answer within \(limit.settingsText)",
                hint: "Try its URL with curl from this host.")
            return
        }
        let (what, hint) = Self.meanings[code] ?? ("curl ended with status \(code)", "curl(1) explains the status.")
        error = NoticeError(.notReached, what, hint: hint)
    }

    private static let meanings: [Int32: (String, String)] = [
        1: ("its URL does not begin with http or https", "Correct the URL."),
        3: ("its URL is malformed", "Correct the URL: it is the whole of the secret."),
        5: ("the name of the proxy cannot be resolved", "Check https_proxy and http_proxy in the environment."),
        6: ("the name of its host cannot be resolved", "Check the URL, and name resolution on this host."),
        7: ("no connection to it could be made", "Check that it runs, and that this host may reach it."),
        35: ("no TLS connection to it could be made", "Check that it speaks TLS at that port."),
        52: ("it closed the connection without an answer", "Look at the receiver's own log."),
        56: ("the connection to it was lost", "Try its URL with curl from this host."),
        58: ("the certificate of this host cannot be used", "Check CURL_CA_BUNDLE and SSL_CERT_FILE."),
        60: ("its certificate is not trusted", "Have the host trust its authority: update-ca-certificates."),
        77: ("the certificates of this host cannot be read", "Install ca-certificates."),
    ]
}

extension ProgramRunner {
    /// Runs a program that reads these bytes on its standard input.
    func run(
        _ program: Program, reading bytes: [UInt8], output: ProgramOutput = .discard
    ) async throws -> ProgramOutcome {
        var program = program
        let input = try FileDescriptor.memoryFile(holding: bytes)
        defer { try? input.close() }
        program.inputFile = input
        return try await run(program, output: output)
    }
}
