// Tests of InternetMessage.
