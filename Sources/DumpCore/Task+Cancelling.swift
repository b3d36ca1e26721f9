extension Task where Failure == Never {
    /// What it returns. When our own task is cancelled while it waits for that, so is this one.
    public var cancellableValue: Success {
        get async {
            await withTaskCancellationHandler {
                await value
            } onCancel: {
                cancel()
            }
        }
    }
}
