import Borg
import Directories
import DumpCore
import Jobs
import PostgreSQL
import Settings
import SystemPackage

@testable import MusterConfig

let kinds: ProviderKinds = [.postgresql, .directory]

/// The job that `text` describes.
func job(_ text: String) throws(ConfigurationError) -> Job {
    try JobFile.parse(Array(text.utf8), name: "nightly", file: "nightly.yaml", kinds: kinds)
}

/// What an operator reads about the mistakes in `text`; empty if there is none.
func mistakes(in text: String, kinds: ProviderKinds = kinds) -> String {
    mistakes(in: Array(text.utf8), kinds: kinds)
}

func mistakes(in bytes: [UInt8], kinds: ProviderKinds = kinds) -> String {
    do {
        _ = try JobFile.parse(bytes, name: "nightly", file: "nightly.yaml", kinds: kinds)
        return ""
    } catch {
        return error.description
    }
}

/// A job with one dump of these keys, which begin in line 5, column 5.
func dump(_ keys: String) -> String {
    """
    staging: /srv/staging
    dumps:
      app:
        provider: postgresql
    \(indented(keys))
    """
}

/// A job with one repository of these keys, which begin in line 6, column 5.
func repository(_ keys: String) -> String {
    """
    staging: /srv/staging
    dumps:
      app: {provider: postgresql}
    repositories:
      offsite:
    \(indented(keys))
    """
}

private func indented(_ keys: String) -> String {
    keys.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }.joined(separator: "\n")
}

extension Job {
    var postgreSQL: PostgreSQLSettings { dumps[0].settings as! PostgreSQLSettings }
}
