import Settings

extension RepositorySettings {
    /// What is wrong with a location, if anything is; reads on after its name.
    public static func fault(inLocation location: String) -> Fault? { Shape<String>.locationFault(in: location) }
}

extension Shape<String> {
    /// What Borg calls a repository: no archive, no option, no password in it.
    static var repositoryLocation: Shape { name.checked { locationFault(in: $0) } }

    /// Borg 1 reads `scheme://…`, `[user@]host:path` and paths. A relative path would depend on where Muster is started.
    fileprivate static func locationFault(in location: String) -> Fault? {
        // Numeric hosts of IPv6 are in brackets.
        if location.replacing(/\[[^\]]*\]/, with: "").utf8.contains("::".utf8) {
            return Fault("must not name an archive (::)", hint: "Muster names the archives itself.")
        }
        let (scheme, rest) = splitScheme(of: location)
        let authority = rest[..<(rest.firstIndex(ofASCII: "/") ?? rest.endIndex)]
        if scheme != nil || authority.utf8.filter({ $0 == UInt8(ascii: ":") }).count > 1, hasPassword(authority) {
            return Fault(
                "a password is never written in a job file", hint: "Borg logs in with SSH keys; leave the password out."
            )
        }
        if authority.hasBytePrefix("-") { return Fault("must not begin with '-'") }
        let isUnderstood =
            switch scheme {
            case "ssh": authority.wholeMatch(of: /([^@:\[\]]+@)?([^@:\[\]]+|\[[^\]]+\])(:[0-9]+)?/) != nil
            case "file": authority.isEmpty
            case nil:
                location.hasBytePrefix("/")
                    || authority.firstIndex(ofASCII: ":").map { $0 > authority.startIndex } ?? false
            default: false
            }
        return isUnderstood
            ? nil
            : Fault(
                "must be an absolute path or name a host", hint: "Write /path, user@host:path or ssh://user@host/path.")
    }

    private static func splitScheme(of location: String) -> (scheme: Substring?, rest: Substring) {
        let parts = location.split(atASCII: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].hasBytePrefix("//"), parts[0].allSatisfy({ $0.isASCII && $0.isLetter }) else {
            return (nil, location[...])
        }
        return (parts[0], parts[1].dropFirst(2))
    }

    /// `user:password@host`, as far as a `/`.
    private static func hasPassword(_ authority: Substring) -> Bool {
        guard let at = authority.lastIndex(ofASCII: "@") else { return false }
        return authority[..<at].firstIndex(ofASCII: ":") != nil
    }
}
