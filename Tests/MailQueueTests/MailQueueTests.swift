// Tests of MailQueue.
