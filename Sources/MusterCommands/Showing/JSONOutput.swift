import Documents
import Staging

/// A value as JSON for scripts, in the form of all our files.
func json(_ value: some Encodable) throws -> String {
    String(decoding: try SnakeCaseJSON.encode(value).dropLast(), as: UTF8.self)
}
