/// A model that cannot be built: which option, and what it must be.
public struct ModelError: Error, Equatable {
  public let option: String
  public let message: String

  static func require(_ condition: Bool, _ option: String, _ message: String) throws {
    if !condition { throw ModelError(option: option, message: "\(option) \(message)") }
  }
}
