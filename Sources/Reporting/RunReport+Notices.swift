import DumpCore

extension RunReport {
    /// What came of telling one receiver one thing.
    public struct NoticeRecord: Sendable, Codable {
        /// Its name in the job file.
        public var receiver: String
        /// Such as `failure`.
        public var event: String
        public var reached: Bool
        /// Why it was not reached.
        public var error: ErrorRecord?

        public init(receiver: String, event: String, error: (any OperatorError)? = nil) {
            (self.receiver, self.event, reached) = (receiver, event, error == nil)
            self.error = error.map(ErrorRecord.init)
        }
    }

    /// What came of one program of `hooks:`.
    public struct HookRecord: Sendable, Codable {
        /// When it ran, such as `before`.
        public var hook: String
        public var program: String
        public var durationSeconds: Double
        public var error: ErrorRecord?

        public init(hook: String, program: String, durationSeconds: Double, error: (any OperatorError)?) {
            (self.hook, self.program, self.durationSeconds) = (hook, program, durationSeconds)
            self.error = error.map(ErrorRecord.init)
        }
    }
}
