/// The error for a model that cannot be built. It names the option that is not valid and what the option must be.
public struct ModelError: Error, Equatable {
  public let option: String
  public let message: String

  static func require(_ condition: Bool, _ option: String, _ message: String) throws {
    if !condition { throw ModelError(option: option, message: "\(option) \(message)") }
  }
}
