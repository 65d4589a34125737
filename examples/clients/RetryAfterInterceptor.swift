// Apollo iOS 1.x: waits and sends again when headroom says when. Put it between
// NetworkFetchInterceptor and ResponseCodeInterceptor, which would turn a 429
// or 503 into an error before anybody has read it. MaxRetryInterceptor, first in
// the default chain, bounds the attempts.
//
// A mutation is sent again only if it cannot have taken effect, or if its input
// carries an idempotencyKey or an id of the app's own.

import Apollo
import ApolloAPI
import Foundation

struct RetryAfterInterceptor: ApolloInterceptor {
  let id = UUID().uuidString
  let longestWait: TimeInterval = 60

  func interceptAsync<Operation: GraphQLOperation>(
    chain: any RequestChain,
    request: HTTPRequest<Operation>,
    response: HTTPResponse<Operation>?,
    completion: @escaping (Result<GraphQLResult<Operation.Data>, any Error>) -> Void
  ) {
    guard let response,
      let refusal = Refusal(status: response.httpResponse, body: response.rawData),
      refusal.wait <= longestWait,
      !(Operation.operationType == .mutation && refusal.mayHaveRun)
        || isHarmless(request.operation.__variables)
    else {
      chain.proceedAsync(
        request: request, response: response, interceptor: self, completion: completion)
      return
    }
    DispatchQueue.global().asyncAfter(deadline: .now() + refusal.wait) {
      chain.retry(request: request, completion: completion)  // does nothing once cancelled
    }
  }

  private func isHarmless(_ variables: GraphQLOperation.Variables?) -> Bool {
    let input = variables?["input"]?._jsonEncodableValue?._jsonValue as? JSONObject
    return input?["idempotencyKey"] != nil || input?["id"] != nil
  }
}

/// A refusal that names a time to come back.
private struct Refusal {
  let wait: TimeInterval
  let mayHaveRun: Bool

  init?(status: HTTPURLResponse, body: Data) {
    guard status.statusCode == 429 || status.statusCode == 503 else { return nil }
    let reply = try? JSONSerialization.jsonObject(with: body) as? [String: Any]
    let errors = reply?["errors"] as? [[String: Any]]
    let extensions = errors?.first?["extensions"] as? [String: Any]
    // Milliseconds in the body; the header, in whole seconds, for proxies.
    if let ms = extensions?["retryAfterMs"] as? Double {
      wait = ms / 1000
    } else if let seconds = status.value(forHTTPHeaderField: "Retry-After").flatMap(Double.init) {
      wait = seconds
    } else {
      return nil
    }
    mayHaveRun = extensions?["outcome"] as? String == "unknown"
  }
}
