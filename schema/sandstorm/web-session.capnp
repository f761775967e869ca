@0xa8cb0f2f1a756b32;
# HTTP as an object: the session that a browser speaks to.

using Util = import "util.capnp";
using Grain = import "grain.capnp";

struct HttpStatusDescriptor @0xbc353583a3731ade {
  # What an enumerant stands for in HTTP.

  id @0 :UInt16;
  title @1 :Text;
}

annotation httpStatus @0xaf480a0c6cab8887 (enumerant) :HttpStatusDescriptor;

interface WebSession @0xa50711a14d35a8ce extends(Grain.UiSession) {
  # Paths are relative to the session's root, without a leading "/".

  struct Params @0xd7051b9757f6b096 {
    # `sessionParams` of a new session of this type.

    basePath @0 :Text;
    # The address of the session's root, without a trailing "/".

    userAgent @1 :Text;
    acceptableLanguages @2 :List(Text);
  }

  get @0 (path :Text, context :Context, ignoreBody :Bool) -> Response;
  post @1 (path :Text, content :PostContent, context :Context) -> Response;
  put @3 (path :Text, content :PutContent, context :Context) -> Response;
  delete @4 (path :Text, context :Context) -> Response;
  patch @17 (path :Text, content :PostContent, context :Context) -> Response;

  postStreaming @5 (path :Text, mimeType :Text, context :Context, encoding :Text)
                -> (stream :RequestStream);
  putStreaming @6 (path :Text, mimeType :Text, context :Context, encoding :Text)
               -> (stream :RequestStream);

  openWebSocket @2 (path :Text, context :Context, protocol :List(Text),
                    clientStream :WebSocketStream)
                -> (protocol :List(Text), serverStream :WebSocketStream);

  propfind @7 (path :Text, xmlContent :Text, depth :PropfindDepth, context :Context) -> Response;
  proppatch @8 (path :Text, xmlContent :Text, context :Context) -> Response;
  mkcol @9 (path :Text, content :PostContent, context :Context) -> Response;
  copy @10 (path :Text, destination :Text, noOverwrite :Bool, shallow :Bool, context :Context)
       -> Response;
  move @11 (path :Text, destination :Text, noOverwrite :Bool, context :Context) -> Response;
  lock @12 (path :Text, xmlContent :Text, shallow :Bool, context :Context) -> Response;
  unlock @13 (path :Text, lockToken :Text, context :Context) -> Response;
  acl @14 (path :Text, xmlContent :Text, context :Context) -> Response;
  report @15 (path :Text, content :PostContent, context :Context) -> Response;
  options @16 (path :Text, context :Context) -> Options;

  struct Context @0xf5cae52becabc767 {
    # What a request carries besides path and body.

    cookies @0 :List(Util.KeyValue);
    responseStream @1 :Util.ByteStream;
    # Where a streamed response body goes.

    accept @2 :List(AcceptedType);
    acceptEncoding @9 :List(AcceptedEncoding);

    eTagPrecondition :union {
      none @4 :Void;
      exists @5 :Void;
      # If-Match: *

      matchesOneOf @6 :List(ETag);
      matchesNoneOf @7 :List(ETag);
      doesntExist @8 :Void;
      # If-None-Match: *
    }

    additionalHeaders @3 :List(Header);

    struct Header @0xb4e5f4cccb748429 {
      name @0 :Text;
      value @1 :Text;
    }

    const headerWhitelist @0xbaace870544663eb :List(Text) = [
      # Requests may carry these besides what has a field of its own. A "*" at
      # the end stands for anything.
      "x-sandstorm-app-*", "x-hgarg-*", "x-phabricator-*", "x-requested-with",
      "x-csrftoken", "x-csrf-token", "x-oc-mtime", "oc-total-length",
      "oc-chunk-size", "oc-fileid", "oc-chunked", "oc-checksum",
      "oc-chunk-offset", "oc-lazyops",
    ];
  }

  struct PostContent @0xb7d82eac416ab63e {
    mimeType @0 :Text;
    content @1 :Data;
    encoding @2 :Text;
  }

  struct PutContent @0xd7aff1fe39659132 {
    mimeType @0 :Text;
    content @1 :Data;
    encoding @2 :Text;
  }

  struct ETag @0xd22c0be5b9c16558 {
    value @0 :Text;
    # Without quotes.

    weak @1 :Bool;
  }

  struct Cookie @0xa87d65bed9b60243 {
    name @0 :Text;
    value @1 :Text;

    expires :union {
      none @2 :Void;
      absolute @3 :Int64;
      # Seconds since 1970.

      relative @4 :UInt64;
      # Seconds from now.
    }

    httpOnly @5 :Bool;
    path @6 :Text;
  }

  struct AcceptedType @0xaaf9021b627cc1f9 {
    mimeType @0 :Text;
    qValue @1 :Float32 = 1;
  }

  struct AcceptedEncoding @0xbda585bffe1dc7e8 {
    contentCoding @0 :Text;
    qValue @1 :Float32 = 1;
  }

  struct Response @0x8193ac6cb5429c83 {
    setCookies @0 :List(Cookie);
    cachePolicy @16 :CachePolicy;
    additionalHeaders @20 :List(Header);

    enum SuccessCode @0x82130007ccd2888f {
      ok @0 $httpStatus(id = 200, title = "OK");
      created @1 $httpStatus(id = 201, title = "Created");
      accepted @2 $httpStatus(id = 202, title = "Accepted");
      noContent @3 $httpStatus(id = 204, title = "No Content");
      partialContent @4 $httpStatus(id = 206, title = "Partial Content");
      multiStatus @5 $httpStatus(id = 207, title = "Multi-Status");
      notModified @6 $httpStatus(id = 304, title = "Not Modified");
    }

    enum ClientErrorCode @0x8ea31bdb4c044f01 {
      badRequest @0 $httpStatus(id = 400, title = "Bad Request");
      forbidden @1 $httpStatus(id = 403, title = "Forbidden");
      notFound @2 $httpStatus(id = 404, title = "Not Found");
      methodNotAllowed @3 $httpStatus(id = 405, title = "Method Not Allowed");
      notAcceptable @4 $httpStatus(id = 406, title = "Not Acceptable");
      conflict @5 $httpStatus(id = 409, title = "Conflict");
      gone @6 $httpStatus(id = 410, title = "Gone");
      requestEntityTooLarge @7 $httpStatus(id = 413, title = "Request Entity Too Large");
      requestUriTooLong @8 $httpStatus(id = 414, title = "Request-URI Too Long");
      unsupportedMediaType @9 $httpStatus(id = 415, title = "Unsupported Media Type");
      imATeapot @10 $httpStatus(id = 418, title = "I'm a teapot");
      preconditionFailed @11 $httpStatus(id = 412, title = "Precondition Failed");
      unprocessableEntity @12 $httpStatus(id = 422, title = "Unprocessable Entity");
    }

    struct Header @0xb4b873147ab5ce5e {
      name @0 :Text;
      value @1 :Text;
    }

    struct ErrorBody @0x9497e63b399a2c01 {
      data @0 :Data;
      encoding @1 :Text;
      language @2 :Text;
      mimeType @3 :Text;
    }

    union {
      content :group {
        statusCode @10 :SuccessCode;
        encoding @2 :Text;
        language @3 :Text;
        mimeType @4 :Text;
        eTag @17 :ETag;

        body :union {
          bytes @5 :Data;
          stream @6 :Util.Handle;
          # The body goes to the request's `responseStream`; dropping the
          # handle cancels it.
        }

        disposition :union {
          normal @13 :Void;
          download @14 :Text;
          # To be saved under this file name.
        }
      }

      noContent :group {
        shouldResetForm @15 :Bool;
        eTag @19 :ETag;
      }

      preconditionFailed :group {
        matchingETag @18 :ETag;
      }

      redirect :group {
        isPermanent @1 :Bool;
        switchToGet @12 :Bool;
        location @11 :Text;
      }

      clientError :group {
        statusCode @7 :ClientErrorCode;
        descriptionHtml @8 :Text;
        nonHtmlBody @21 :ErrorBody;
      }

      serverError :group {
        descriptionHtml @9 :Text;
        nonHtmlBody @22 :ErrorBody;
      }
    }

    const headerWhitelist @0xef174541b62cac82 :List(Text) = [
      # Responses may carry these besides what has a field of its own.
      "x-sandstorm-app-*", "x-oc-mtime",
    ];
  }

  interface RequestStream @0x99ffc2f3f69a6a9f extends(Util.ByteStream) {
    # Takes the body of a request.

    getResponse @0 () -> Response;
    # May be called before the body is complete.
  }

  interface WebSocketStream @0xf001fc1d5e574a07 {
    # One direction of a WebSocket: raw frames.

    sendBytes @0 (message :Data) -> stream;
  }

  struct CachePolicy @0xb37b21e300864885 {
    withCheck @0 :Scope;
    permanent @1 :Scope;
    variesOnCookie @2 :Bool;
    variesOnAccept @3 :Bool;

    enum Scope @0x81535505f60de028 {
      none @0;
      perSession @1;
      perUser @2;
      perAppVersion @3;
      universal @4;
    }
  }

  struct Options @0xe9ff06beec4e73d6 {
    davClass1 @0 :Bool;
    davClass2 @1 :Bool;
    davClass3 @2 :Bool;
    davExtensions @3 :List(Text);
  }

  enum PropfindDepth @0xb39cc44599b3a41b {
    infinity @0;
    zero @1;
    one @2;
  }
}
