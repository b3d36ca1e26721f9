import DumpCore

extension DumpError {
    /// What a program that could not be run means to a dump.
    public init(_ error: ProcessError) {
        let code: Code =
            switch error.code {
            case .cancelled: .cancelled
            case .programNotFound: .programUnsuitable
            case .secretUnavailable: .settings
            case .cannotRun, .tooMuchOutput: .system
            }
        self.init(code, error)
    }
}
