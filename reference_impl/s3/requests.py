"""Requests to S3: sent again where that helps, and else an error that says what failed and what to do.

botocore retries what S3 says may pass, and connections that break before an answer begins. What it does not retry is
done here: an answer that breaks off, that cannot be parsed, whose checksum is wrong or that contradicts itself. So is
what S3 says may pass, where a client has used up what it may retry: the managers of a process share it, and an outage
that one session met would be an error of others once it is over.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as BotoConnectionError
from strands.types.exceptions import SessionException

from .client import ATTEMPTS, OwnClient

logger = logging.getLogger(__name__)

Read = TypeVar("Read")

_PAUSE = 0.05
"""Seconds before the second retry; each further one takes twice as long. The first is made at once."""

_MOST_NOTED = 1000
"""How many keys of writes that were sent again are noted."""

_METHODS = {
    "GetObject": "get_object",
    "GetObjectVersion": "get_object",
    "PutObject": "put_object",
    "ListObjectsV2": "list_objects_v2",
    "ListObjectVersions": "list_object_versions",
    "DeleteObject": "delete_object",
    "DeleteObjects": "delete_objects",
}

_ACTIONS = {
    "GetObject": "s3:GetObject",
    "GetObjectVersion": "s3:GetObjectVersion",
    "PutObject": "s3:PutObject",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
}

_SLOWER = ("SlowDown", "ServiceUnavailable", "503", "RequestLimitExceeded", "Throttling", "TooManyRequests", "429")
_DENIED = ("AccessDenied", "403", "Forbidden", "AllAccessDisabled")
_ON_THE_WAY = (
    "BadDigest",
    "IncompleteBody",
    "InvalidDigest",
    "RequestTimeout",
    "SignatureDoesNotMatch",
    "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch",
)
"""What S3 says of a request that was changed on its way, or cut short."""

_ARCHIVED = "InvalidObjectState"
_KEY = "KMS."
"""What the codes begin with that say of an object's key why it cannot be used."""

_NOT_IMPLEMENTED = ("MethodNotAllowed", "NotImplemented", "UnsupportedOperation", "405", "501")


class NotThere(Exception):
    """There is no such object."""


class Conflict(Exception):
    """A conditional write was refused."""


class BusyConflict(Exception):
    """A conditional write met another of the same key: it may be tried again."""


class NotImplementedThere(Exception):
    """The store does not know this operation."""


class Garbled(Exception):
    """An answer is not what was sent.

    Args:
        what: What is wrong with it.
        answer: What it says all the same, where somebody may mean it so: then it is taken once it was given again.
    """

    def __init__(self, what: str, answer: Any = None) -> None:
        super().__init__(what)
        self.answer = answer


class S3Requests:
    """Sends requests for the objects of one bucket. Thread-safe, as boto3's clients are.

    Attributes:
        bucket: The bucket.
        client: A boto3 client for S3, of this process; another may take its place at any time.
        on_their_way: The keys, the latest last, of writes that S3 may yet carry out: they were sent more than once, or
            nobody knows what became of them.

    Args:
        client: A boto3 client for S3, or what has the one of this process.
        bucket: The bucket.
        session_id: The session that errors name.
    """

    def __init__(self, client: Any, bucket: str, session_id: str) -> None:
        self.bucket = bucket
        self._own = client if isinstance(client, OwnClient) else OwnClient(client)
        self.on_their_way: dict[str, None] = {}
        self._session_id = session_id

    @property
    def client(self) -> Any:
        """A boto3 client for S3."""
        return self._own.client

    @client.setter
    def client(self, client: Any) -> None:
        self._own.client = client

    def send(self, operation: str, key: str, read: Callable[[Any], Read], **arguments: Any) -> Read:
        """Send a request until it is answered, and return what is read from the answer.

        Args:
            operation: S3's name for it.
            key: The key or prefix that it is about, for errors.
            read: Reads the answer; raises :class:`Garbled` if that is not what can have been sent.
            **arguments: The client's.

        Raises:
            NotThere: There is no such object.
            Conflict: A conditional write was refused.
            BusyConflict: It met another.
            NotImplementedThere: The store does not know the operation.
            SessionException: Anything else that went wrong, whatever raised it.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return read(self._answer(operation, key, attempt, arguments))
            except ClientError as error:
                attempts, why = self._refused(error, operation, key)
                cause: Exception = error
            except Garbled as error:
                if attempt > 2 and error.answer is not None:
                    return error.answer  # type: ignore[no-any-return]
                attempts, why, cause = ATTEMPTS, str(error), error
            except (IncompleteReadError, FlexibleChecksumError) as error:
                attempts, why, cause = ATTEMPTS, f"the answer broke off or was changed on its way: {error}", error
            except (HTTPClientError, BotoConnectionError) as error:  # botocore has sent it again already, if it may
                attempts, why, cause = 2, f"{error}; {_then(operation)}", error
            except BotoCoreError as error:  # no credentials, a parameter that is not valid: the same the next time
                attempts, why, cause = 1, f"{error}; {_then(operation)}", error
            except Exception as error:  # an answer that cannot be parsed, or what lies below botocore
                attempts, why, cause = ATTEMPTS, f"{type(error).__name__}: {error}; {_then(operation)}", error
            if attempt >= attempts:
                if operation == "DeleteObjects" and not isinstance(cause, BotoCoreError | ClientError):
                    raise NotImplementedThere(operation) from cause
                raise self.failed(operation, key, why) from cause
            logger.debug("operation=<%s>, key=<%s>, error=<%s> | sent again", operation, key, why)
            if attempt > 1:
                time.sleep(_PAUSE * 2 ** (attempt - 2))

    def _answer(self, operation: str, key: str, attempt: int, arguments: dict[str, Any]) -> Any:
        """Send a request once, or as often as the client does by itself, and note a write that may come later."""
        may_come = True  # as where its answer is lost, or the handler of a signal breaks it off
        try:
            answer = getattr(self.client, _METHODS[operation])(Bucket=self.bucket, **arguments)
            may_come = attempt > 1 or _retries(answer) > 0
        except ClientError as error:
            may_come = attempt > 1 or _retries(error.response) > 0 or _status(error) >= 500
            raise
        finally:
            if may_come and operation == "PutObject":
                self.on_their_way[key] = None
                while len(self.on_their_way) > _MOST_NOTED:
                    self.on_their_way.pop(next(iter(self.on_their_way)), None)
        return answer

    def _refused(self, error: ClientError, operation: str, key: str) -> tuple[int, str]:
        """Return how often to send what S3 refused, and why it failed if it still does; or raise what it is."""
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = _status(error)
        if code in ("NoSuchKey", "NoSuchVersion"):
            raise NotThere(key) from error
        if operation == "PutObject":  # the status is enough: the rest of the answer may have been changed on its way
            if code in ("PreconditionFailed", "412") or status == 412:
                raise Conflict(key) from error
            if code in ("ConditionalRequestConflict", "OperationAborted", "409") or status == 409:
                raise BusyConflict(key) from error
        if code in _NOT_IMPLEMENTED or status in (405, 501):
            raise NotImplementedThere(operation) from error
        remedy = _remedy(code, operation, self.bucket)
        if operation == "DeleteObjects" and not remedy:  # stores that do not know it have many ways to say so
            raise NotImplementedThere(operation) from error
        why = remedy or str(error)
        if error.response.get("ResponseMetadata", {}).get("RetryQuotaReached"):
            return ATTEMPTS, why
        if code in _ON_THE_WAY or (status == 404 and code not in ("NoSuchBucket", "404")):
            return 3, why
        return 1, why

    def failed(self, operation: str, key: str, why: str) -> SessionException:
        """Return what says that a request failed, and why."""
        who = f"session {self._session_id!r}" if self._session_id else "the sessions"
        return SessionException(f"{who}: {_ACTIONS[operation]} failed on s3://{self.bucket}/{key}: {why}")

    def refused(self, operation: str, key: str, code: str) -> SessionException:
        """Return what says that a part of a request was refused with an error code."""
        return self.failed(operation, key, _remedy(code, operation, self.bucket) or code)


def is_denied(failure: SessionException) -> bool:
    """Whether a request failed since a right is missing."""
    return _code_of(failure) in _DENIED


def is_withheld(failure: SessionException) -> bool:
    """Whether S3 has an object, and does not give it: a right is missing, it was archived, or its key is not there.

    That says nothing of other sessions, which are somebody else's, or younger.
    """
    code = _code_of(failure)
    return code in (*_DENIED, _ARCHIVED) or code.startswith(_KEY)


def _code_of(failure: SessionException) -> str:
    """Return the code of the error that made a request fail; empty where it was none of S3's."""
    cause = failure.__cause__
    return str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else ""


def _status(error: ClientError) -> int:
    """Return the HTTP status of an answer; 0 where it is not told."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


def _retries(answer: Any) -> int:
    """Return how often the client has sent a request again by itself."""
    told = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
    return int(told.get("RetryAttempts", 0))


LATER = "what was not stored is stored with the next change"


def _then(operation: str) -> str:
    """Say what becomes of an operation that failed for now."""
    return LATER if operation == "PutObject" else "try again later"


def _remedy(code: str, operation: str, bucket: str) -> str:
    """Return what to do about an error of S3's, in words; empty where there is nothing to add."""
    action = _ACTIONS[operation]
    then = _then(operation)
    if code in _DENIED:
        resource = f"arn:aws:s3:::{bucket}" + ("" if action.startswith("s3:List") else "/*")
        return f"access denied ({code}): allow {action} on {resource}"
    if code in ("NoSuchBucket", "404"):
        return f"there is no bucket {bucket!r} ({code}): create it, or check its name, the region and the account"
    if code in _SLOWER:
        return f"S3 asks to slow down ({code}), also after {ATTEMPTS} attempts; {then}"
    if code in ("InternalError", "500"):
        return f"S3 had an internal error ({code}), also after {ATTEMPTS} attempts; {then}"
    if code == "RequestTimeTooSkewed":
        return f"the clock of this machine is not that of S3 ({code}): set it"
    if code in ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"):
        return f"the bucket {bucket!r} is in another region ({code}): check region_name, or that of the session"
    if code == _ARCHIVED:
        return f"the object was archived ({code}): restore it first, and exclude sessions from the bucket's lifecycle"
    if code.startswith(_KEY):
        return f"the key that the object is encrypted with cannot be used ({code}): enable it"
    if code in ("ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"):
        return f"the credentials are not valid ({code}): renew them"
    return ""
